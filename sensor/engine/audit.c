#include "engine/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/conf.h"

#define ANCESTORS   16
#define ENVIRONMENT (128 * 1024)
#define NOBODY      UINT32_MAX /* of /proc/PID/loginuid: nobody logged in */

/* A process as /proc has it. */
struct process {
    int32_t parent;
    uint32_t uid, euid;
    unsigned tty; /* device number, 0: none */
    char program[16];
};

/* Octets read, at most size - 1; ends in NUL. 0: no such process, or none of our business. */
static size_t read_proc(int32_t pid, const char *name, char *out, size_t size)
{
    char path[64];
    size_t used = 0;
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && used < size - 1 && (got = read(fd, out + used, size - 1 - used)) > 0)
        used += (size_t)got;
    if (fd >= 0)
        close(fd);
    out[used] = '\0';
    return used;
}

static bool read_users(int32_t pid, struct process *p)
{
    char status[4096];
    const char *line;

    /* The name above it has its line ends escaped. */
    if (!read_proc(pid, "status", status, sizeof status))
        return false;
    line = strstr(status, "\nUid:");
    return line && sscanf(line, "\nUid: %u %u", &p->uid, &p->euid) == 2;
}

/* "PID (NAME) STATE PARENT GROUP SESSION TTY ...", whatever the name is. */
static bool look_at(int32_t pid, struct process *p)
{
    char stat[1024], *name, *end;
    size_t length;

    *p = (struct process){.parent = 0};
    if (!read_proc(pid, "stat", stat, sizeof stat) || !read_users(pid, p))
        return false;
    name = strchr(stat, '(');
    end = strrchr(stat, ')');
    if (!name || !end || end <= name ||
        sscanf(end + 1, " %*c %d %*d %*d %u", &p->parent, &p->tty) != 2)
        return false;
    length = (size_t)(end - name - 1);
    if (length >= sizeof p->program)
        length = sizeof p->program - 1;
    memcpy(p->program, name + 1, length);
    return true;
}

static void put_tty(struct evidence *e, unsigned device)
{
    unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    char text[32];

    if (major >= 136 && major <= 143)
        snprintf(text, sizeof text, "pts/%u", (major - 136) * 256 + minor);
    else if (major == 4)
        snprintf(text, sizeof text, minor < 64 ? "tty%u" : "ttyS%u",
                 minor < 64 ? minor : minor - 64);
    else
        snprintf(text, sizeof text, "%u:%u", major, minor);
    evidence_string(e, "tty", text);
}

/* The address of "SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22" and nothing else: it is in the
 * caller's hand what stands there. */
static bool address_of(const char *text, struct addr *out)
{
    char word[ADDR_TEXT];
    size_t length = strcspn(text, " %");

    if (length >= sizeof word)
        return false;
    memcpy(word, text, length);
    word[length] = '\0';
    return addr_parse(word, out) == SD_OK;
}

static bool ssh_client(int32_t pid, struct addr *out)
{
    static const char wanted[] = "SSH_CONNECTION=";
    char *all = malloc(ENVIRONMENT);
    size_t length = all ? read_proc(pid, "environ", all, ENVIRONMENT) : 0;
    bool found = false;

    for (size_t i = 0; i < length && !found; i += strlen(all + i) + 1)
        if (strncmp(all + i, wanted, sizeof wanted - 1) == 0)
            found = address_of(all + i + sizeof wanted - 1, out);
    free(all);
    return found;
}

/* Reading the environment of a process may wait for its memory, which a stranger can make wait
 * for ever: that of root's and our own only. */
static bool is_harmless(const struct process *p)
{
    return p->euid == 0 || p->euid == geteuid();
}

static void put_from(struct evidence *e, int32_t pid, struct process p)
{
    struct addr from;
    char text[ADDR_TEXT];

    for (int i = 0; i < ANCESTORS && pid > 1; i++) {
        if (is_harmless(&p) && ssh_client(pid, &from)) {
            evidence_string(e, "from", addr_text(&from, text));
            return;
        }
        pid = p.parent;
        if (pid <= 1 || !look_at(pid, &p))
            return;
    }
}

static void put_login(struct evidence *e, int32_t pid)
{
    char text[32], *end;
    unsigned long uid;

    if (!read_proc(pid, "loginuid", text, sizeof text))
        return;
    uid = strtoul(text, &end, 10);
    if (end != text && uid < NOBODY)
        evidence_integer(e, "login_uid", (int64_t)uid);
}

void audit_who(struct evidence *e, const struct asker *who, const char *via)
{
    struct process p;
    char program[4 * sizeof p.program];

    if (via)
        evidence_string(e, "via", via);
    if (who->pid < 0 || (who->pid == 0 && !via))
        return;
    evidence_integer(e, "uid", who->uid);
    if (who->pid == 0)
        return; /* in another namespace of processes */
    evidence_integer(e, "pid", who->pid);
    /* It may have ended, and its number be somebody else's by now. */
    if (!look_at(who->pid, &p) || (p.uid != who->uid && p.euid != who->uid))
        return;
    text_printable(p.program, sizeof p.program, program, sizeof program);
    evidence_string(e, "program", program);
    put_login(e, who->pid);
    if (p.tty)
        put_tty(e, p.tty);
    put_from(e, who->pid, p);
}

struct asker audit_self(void)
{
    return (struct asker){.uid = geteuid(), .pid = getpid()};
}

void audit_compare(struct audit *a, const struct policy *before, const struct policy *after)
{
    text_copy(a->before, sizeof a->before, before->digest);
    text_copy(a->after, sizeof a->after, after->digest);
    a->changes[0] = '\0';
    if (conf_changes(before, after, a->changes, sizeof a->changes) == SD_ENOENT &&
        strcmp(a->before, a->after) != 0)
        text_copy(a->changes, sizeof a->changes, "only comments, the catalogue or detections");
}

static void say_in_log(const struct audit *a)
{
    char who[64] = "";

    if (a->via)
        snprintf(who, sizeof who, " by uid %u, process %d, via %s", a->who.uid, a->who.pid, a->via);
    log_notice("%s%s%s%s", a->what, who, a->changes[0] ? ": " : "", a->changes);
}

/* Who it was stands first: if there is no room for all, the summary is what falls off. */
void audit_tell(const struct monitor *m, const struct audit *a)
{
    struct message tell = {.type = TELL_FINDING};
    struct evidence *e = &tell.finding.evidence;

    own_finding(&tell.finding, KIND_ENFORCEMENT, kind_name(KIND_ENFORCEMENT), a->what);
    if (a->who.pid || a->via)
        audit_who(e, &a->who, a->via);
    if (a->before[0])
        evidence_string(e, "policy_before", a->before);
    if (a->after[0])
        evidence_string(e, "policy", a->after);
    if (a->detail && a->detail[0])
        evidence_string(e, "detail", a->detail);
    if (a->changes[0])
        evidence_string(e, "changes", a->changes);
    say_in_log(a);
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK)
        log_error("enforcement: %s (not recorded: the parser is gone)", a->what);
}
