#include "base/pseudonym_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define HEAD "sealdns-pseudonyms 1"
#define TEXT 1024 /* more than the file has */

static bool take_hex(const char *hex, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1)
            return false;
    return true;
}

static bool take_line(const char *line, struct pseudonym_keys *k)
{
    char hex[2 * PSEUDONYM_SECRET + 1];
    struct pseudonym_key *key = k->list + k->count;

    if (sscanf(line, "installation %10[0-9a-f]", hex) == 1)
        return strlen(hex) == 2 * sizeof k->installation &&
               take_hex(hex, k->installation, sizeof k->installation);
    if (k->count == PSEUDONYM_KEYS ||
        sscanf(line, "key %" SCNu16 " %" SCNd64 " %64[0-9a-f]", &key->number, &key->since, hex) !=
            3 ||
        strlen(hex) != sizeof hex - 1)
        return false;
    k->count++;
    return take_hex(hex, key->secret, sizeof key->secret);
}

static bool take_text(char *text, struct pseudonym_keys *k)
{
    char *rest = text, *line = strsep(&rest, "\n");
    bool good = strcmp(line, HEAD) == 0;

    while (good && (line = strsep(&rest, "\n")) != NULL)
        good = !*line || take_line(line, k);
    return good && k->count > 0;
}

static int read_text(const char *path, char text[TEXT], char error[PSEUDONYM_ERROR])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat is;
    ssize_t got;

    if (fd < 0) {
        snprintf(error, PSEUDONYM_ERROR, "cannot read %.120s: %.40s", path, strerror(errno));
        return errno == ENOENT ? SD_ENOENT : SD_EPERM;
    }
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || is.st_mode & 077) {
        snprintf(error, PSEUDONYM_ERROR, "%.120s is to be a file of mode 0600: it says who is who",
                 path);
        close(fd);
        return SD_EPERM;
    }
    got = read(fd, text, TEXT - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return SD_OK;
}

int pseudonym_keys_read(const char *path, struct pseudonym_keys *out, char error[PSEUDONYM_ERROR])
{
    char text[TEXT];
    int status = read_text(path, text, error);

    memset(out, 0, sizeof *out);
    if (status == SD_OK && !take_text(text, out)) {
        snprintf(error, PSEUDONYM_ERROR, "%.120s holds no keys of pseudonyms", path);
        status = SD_EFORMAT;
    }
    explicit_bzero(text, sizeof text);
    return status;
}

static void put_hex(FILE *to, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(to, "%02x", bytes[i]);
    fputc('\n', to);
}

static bool write_anew(const char *path, const struct pseudonym_keys *k)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool good;

    if (!to) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    fputs(HEAD "\ninstallation ", to);
    put_hex(to, k->installation, sizeof k->installation);
    for (size_t i = 0; i < k->count; i++) {
        fprintf(to, "key %" PRIu16 " %" PRId64 " ", k->list[i].number, k->list[i].since);
        put_hex(to, k->list[i].secret, sizeof k->list[i].secret);
    }
    good = fflush(to) == 0 && fsync(fd) == 0;
    return fclose(to) == 0 && good;
}

/* As far as a file system writes where it wrote before. */
static void overwrite(int fd)
{
    static const char zeros[TEXT];

    if (fd < 0)
        return;
    if (pwrite(fd, zeros, sizeof zeros, 0) < 0 || fsync(fd) != 0)
        errno = 0; /* its name is gone all the same */
    close(fd);
}

int pseudonym_keys_write(const char *path, const struct pseudonym_keys *k)
{
    char beside[300];
    int before;

    snprintf(beside, sizeof beside, "%.280s.new", path);
    if (!write_anew(beside, k))
        return SD_EIO;
    before = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (rename(beside, path) != 0) {
        if (before >= 0)
            close(before);
        return SD_EIO;
    }
    overwrite(before);
    return SD_OK;
}

bool pseudonym_keys_turn(struct pseudonym_keys *k, nsec_t rotate, nsec_t now)
{
    struct pseudonym_key anew = {.since = now};
    bool first = k->count == 0, outlived;

    if (!first && !time_passed(k->list[0].since, rotate, now))
        return false;
    if (getrandom(anew.secret, sizeof anew.secret, 0) != (ssize_t)sizeof anew.secret)
        return false;
    if (first &&
        getrandom(k->installation, sizeof k->installation, 0) != (ssize_t)sizeof k->installation)
        return false;
    anew.number = first ? 1 : (uint16_t)(k->list[0].number + 1);
    outlived = !first && now - k->list[0].since >= 2 * rotate;
    k->list[1] = k->list[0];
    k->list[0] = anew;
    k->count = first || outlived ? 1 : 2;
    if (k->count == 1)
        explicit_bzero(&k->list[1], sizeof k->list[1]);
    explicit_bzero(&anew, sizeof anew);
    return true;
}
