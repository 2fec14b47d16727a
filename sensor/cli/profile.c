#include "cli/profile.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/who.h"

static long long count_of(const json_t *profile, const char *member)
{
    return (long long)json_integer_value(json_object_get(profile, member));
}

static const char *meaning_of(const char *profile)
{
    static const char *const meanings[][2] = {
        {"strict", "when encrypted DNS fails it goes without (RFC 8310)"},
        {"opportunistic", "when encrypted DNS fails it goes on in clear text (RFC 8310)"},
        {"clear-text-only", "it was never seen to try encrypted DNS"},
        {"mixed", "it asks in clear text beside encrypted DNS"}};

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(profile, meanings[i][0]) == 0)
            return meanings[i][1];
    return "what it does when encrypted DNS fails was not seen yet";
}

/* Why the profile is what it is, in the order in which one asks. */
static void print_counts(const json_t *profile)
{
    static const char *const counts[][2] = {
        {"successes", "encrypted DNS worked"},
        {"failures", "it failed"},
        {"hard_failures", "it took the failure without clear text"},
        {"certificates_refused", "it refused the certificate"},
        {"clear_after_failure", "it asked in clear text after a failure"},
        {"recursion_after_failure", "it recursed by itself after a failure"},
        {"clear_otherwise", "it asked in clear text without a failure before"},
        {"bootstrap", "it asked for a resolver's name, a connectivity probe or an inside name"}};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        long long n = count_of(profile, counts[i][0]);

        if (n > 0)
            printf("    %lld time%s %s\n", n, n == 1 ? "" : "s", counts[i][1]);
    }
    if (json_is_true(json_object_get(profile, "name_sent")))
        printf("    it names its resolver in the handshake\n");
}

static int print_profile(const struct memory_row *row)
{
    json_t *profile = json_loads(row->text, 0, NULL);
    const char *word = json_string_value(json_object_get(profile, "profile"));
    char time[TIME_TEXT];

    printf("  profile   %s: %s\n", word ? word : "unknown", meaning_of(word ? word : ""));
    print_counts(profile);
    printf("    last seen %.19sZ\n", time_text(row->time, time));
    json_decref(profile);
    return 0;
}

static int print_of_machine(void *context, const struct memory_row *row)
{
    return who_has(context, row->key) ? print_profile(row) : 0;
}

int profile_print(struct store_reader *r, char *addresses)
{
    return store_memory(r, "profile", NULL, print_of_machine, addresses);
}
