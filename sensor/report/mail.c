#include "report/mail.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/error.h"
#include "report/cells.h"

#define BOUNDARY "sealdns-report-part"
enum { LINE = 57 }; /* octets that make 76 of base64 (RFC 2045 6.8) */

bool mail_address_is_plain(const char *address)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                ".!#$%&*+/=?^_{|}~-";
    size_t local = strspn(address, plain);
    const char *domain = address + local + 1;

    if (local == 0 || local > 64 || address[0] == '-' || address[local] != '@')
        return false;
    return *domain && strlen(domain) <= 255 &&
           strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
               strlen(domain);
}

static int put_base64(FILE *from, FILE *to)
{
    unsigned char octets[LINE], text[LINE * 2];
    size_t length;

    while ((length = fread(octets, 1, LINE, from)) > 0) {
        EVP_EncodeBlock(text, octets, (int)length);
        fprintf(to, "%s\n", (const char *)text);
    }
    return ferror(from) ? SD_EIO : SD_OK;
}

static void put_head(const json_t *report, const char *const *addresses, size_t count, FILE *to)
{
    fputs("To: ", to);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s%s", i ? ", " : "", addresses[i]);
    fprintf(to,
            "\nSubject: %s of %s, %.10s to %.10s\nMIME-Version: 1.0\n"
            "Auto-Submitted: auto-generated\n"
            "Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\n\n",
            json_word(report, "title"), json_word(report, "host"), json_word(report, "from"),
            json_word(report, "to"));
}

/* The names of files and hosts are an operator's: letters that a header bears, or an underscore. */
static void put_name(const char *file, FILE *to)
{
    const char *slash = strrchr(file, '/');

    for (const char *at = slash ? slash + 1 : file; *at; at++)
        fputc((*at >= '0' && *at <= 'z' && !strchr(":;<=>?[\\]^`", *at)) || *at == '.' || *at == '-'
                  ? *at
                  : '_',
              to);
}

int mail_write(const json_t *report, const char *const *addresses, size_t count, const char *file,
               const struct report_format *format, FILE *to)
{
    FILE *from = fopen(file, "re");
    int status;

    if (!from)
        return SD_EIO;
    put_head(report, addresses, count, to);
    fputs("--" BOUNDARY "\nContent-Type: text/plain; charset=us-ascii\n\n", to);
    status = report_format_named("text")->write(report, to);
    fprintf(to,
            "\n--" BOUNDARY "\nContent-Type: %s\nContent-Transfer-Encoding: base64\n"
            "Content-Disposition: attachment; filename=\"",
            format->type);
    put_name(file, to);
    fputs("\"\n\n", to);
    if (status == SD_OK)
        status = put_base64(from, to);
    fputs("--" BOUNDARY "--\n", to);
    fclose(from);
    return status == SD_OK && ferror(to) ? SD_EIO : status;
}
