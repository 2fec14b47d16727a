/* A live screen of the sensor. On no terminal, or with --once, the screen is printed once. */
#include <curses.h>
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/screen.h"
#include "engine/control.h"
#include "engine/gateway.h"

extern const struct command command_top;

#define HOUR   (3600 * NSEC_S)
#define FOOTER " q quit   w hour, day, week   space pause "
enum { ASK_MS = 2000, HIGH_WITHOUT_TERMINAL = 60, INTERVAL_MOST = 3600 };

struct top {
    const char *socket, *db;
    int interval_ms;
    bool once, paused;
    struct store_reader *reader; /* opened again until there is a store */
    struct screen screen;
    json_t *status;
    char error[STORE_ERROR];
};

static void look(struct top *t)
{
    json_t *request = json_pack("{s:s}", "command", "status");
    const char *db = t->db;

    json_decref(t->status);
    t->status = control_ask(t->socket, request, ASK_MS);
    json_decref(request);
    if (!db)
        db = json_string_value(json_object_get(json_object_get(t->status, "store"), "path"));
    t->screen.now = clock_now();
    t->screen.store_error = NULL;
    if (!t->reader && store_reader_open(db ? db : DEFAULT_STORE, &t->reader, t->error) != SD_OK) {
        t->reader = NULL;
        t->screen.store_error = t->error;
    } else if (screen_read(&t->screen, t->reader) != SD_OK) {
        t->screen.store_error = "it could not be read";
    }
}

static int print_once(struct top *t)
{
    screen_compose(&t->screen, t->status, HIGH_WITHOUT_TERMINAL);
    for (int i = 0; i < t->screen.rows; i++)
        puts(t->screen.row[i].text);
    if (fflush(stdout) != 0) {
        log_error("cannot write: %s", strerror(errno));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static void begin_curses(void)
{
    static const short colours[] = {[SCREEN_GOOD] = COLOR_GREEN,
                                    [SCREEN_NOTICE] = COLOR_YELLOW,
                                    [SCREEN_BAD] = COLOR_RED,
                                    [SCREEN_FAINT] = COLOR_BLUE};
    const char *no = getenv("NO_COLOR");

    setlocale(LC_CTYPE, "");
    initscr();
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    if (!has_colors() || (no && *no))
        return;
    start_color();
    use_default_colors();
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (colours[i])
            init_pair((short)i, colours[i], -1);
}

static attr_t attribute_of(enum screen_style style)
{
    static const attr_t attributes[] = {
        [SCREEN_TITLE] = A_BOLD, [SCREEN_BAD] = A_BOLD, [SCREEN_FAINT] = A_DIM};
    attr_t own = style < sizeof attributes / sizeof *attributes ? attributes[style] : A_NORMAL;

    return own | (has_colors() ? COLOR_PAIR(style) : 0);
}

static void draw(struct top *t)
{
    screen_compose(&t->screen, t->status, LINES - 1);
    erase();
    for (int i = 0; i < t->screen.rows && i < LINES - 1; i++) {
        attrset((int)attribute_of(t->screen.row[i].style));
        mvaddnstr(i, 0, t->screen.row[i].text, COLS);
    }
    attrset(A_REVERSE);
    mvaddnstr(LINES - 1, 0, t->paused ? FOOTER "- paused " : FOOTER, COLS);
    refresh();
}

static void next_window(struct screen *s)
{
    s->window = s->window == HOUR ? 24 * HOUR : s->window == 24 * HOUR ? 7 * 24 * HOUR : HOUR;
    s->alert_row = s->alert_total = 0;
}

/* False: it is over. */
static bool obey(struct top *t, int key)
{
    switch (key) {
    case 'q':
    case 3: /* ^C */
        return false;
    case 'w':
        next_window(&t->screen);
        look(t);
        break;
    case ' ':
        t->paused = !t->paused;
        break;
    case ERR: /* nobody pressed one for an interval */
        if (!t->paused)
            look(t);
        break;
    default:
        break;
    }
    return true;
}

/* The terminal may go away while we run: then there is nothing to read and it is over. */
static bool terminal_is_gone(void)
{
    struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&terminal, 1, 0) > 0 && terminal.revents & (POLLHUP | POLLERR | POLLNVAL);
}

static int show(struct top *t)
{
    begin_curses();
    timeout(t->interval_ms);
    do {
        draw(t);
    } while (obey(t, getch()) && !terminal_is_gone());
    endwin();
    return EXIT_DONE;
}

static int take_interval(struct top *t, const char *value)
{
    char *end;
    long seconds = strtol(value, &end, 10);

    if (*end || end == value || seconds < 1 || seconds > INTERVAL_MOST)
        return SD_EINVAL;
    t->interval_ms = (int)seconds * 1000;
    return SD_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},   {"db", required_argument, NULL, 'd'},
        {"interval", required_argument, NULL, 'i'}, {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},           {0}};
    struct top t = {.socket = DEFAULT_SOCKET, .interval_ms = 2000, .screen.window = 24 * HOUR};
    int option, status;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 's')
            t.socket = optarg;
        else if (option == 'd')
            t.db = optarg;
        else if (option == 'i' && take_interval(&t, optarg) != SD_OK)
            return usage_error(&command_top, "--interval is 1 to %d seconds, not \"%s\"",
                               INTERVAL_MOST, optarg);
        else if (option == 'o')
            t.once = true;
        else if (option != 'i')
            return usage_option(&command_top, option, argv);
    }
    if (optind != argc)
        return usage_error(&command_top, "unexpected argument \"%s\"", argv[optind]);
    look(&t);
    if (!t.status && t.screen.store_error) {
        log_error("nobody answers on %s, and of the store: %s", t.socket, t.screen.store_error);
        return EXIT_FAILED;
    }
    status = t.once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) ? print_once(&t) : show(&t);
    store_reader_close(t.reader);
    json_decref(t.status);
    return status;
}

const struct command command_top = {
    "top", "a live screen: share of DNS sealed, resolvers, clients, alerts, loss",
    "Usage: sealdns top [--once] [--interval SECONDS] [--socket PATH] [--db FILE]\n"
    "\n"
    "Shows what the running sensor sees, and the store of the last hour, day or week (w). The "
    "sums\n"
    "of the store are a minute old at most; resolvers and clients are those of whole days.\n"
    "\n"
    "      --once         print the screen once, as plain text; the rule where there is no "
    "terminal\n"
    "      --interval S   look every so many seconds; default 2\n"
    "      --socket PATH  control socket; default " DEFAULT_SOCKET "\n"
    "      --db FILE      store; default that of the running sensor, else\n"
    "                     " DEFAULT_STORE "\n",
    run};
