/* Every way in which a policy can be wrong: the exact place, and what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/conf.h"

#define NOW (INT64_C(1795262400) * NSEC_S) /* 2026-11-21T12:00:00Z */

/* Loads text, gives back all that was told, to be freed. */
static char *told(const char *text, size_t length, int want)
{
    struct conf_source source = {.policy = {"p", text, length}, .now = NOW};
    struct policy *kept = (struct policy *)&source, *out = kept;
    struct conf_report report = {0};
    char *all = NULL;
    size_t size;

    report.to = open_memstream(&all, &size);
    assert_non_null(report.to);
    assert_int_equal(conf_load(&source, &report, &out), want);
    fclose(report.to);
    assert_int_equal(report.errors > 0, want == SD_ECONF);
    if (want == SD_OK)
        policy_destroy(out);
    else
        assert_ptr_equal(out, kept);
    return all;
}

struct wrong {
    const char *text, *told;
};

static void expect(const struct wrong *list, size_t count, int want)
{
    for (size_t i = 0; i < count; i++) {
        char *all = told(list[i].text, strlen(list[i].text), want);

        if (strcmp(all, list[i].told) != 0)
            fail_msg("policy:\n%s\nis told: %sshould be: %s", list[i].text, all, list[i].told);
        free(all);
    }
}

#define EXPECT(list, want) expect(list, sizeof(list) / sizeof *(list), want)

static void syntax(void **state)
{
    static const struct wrong list[] = {
        {"sensor: {mode: monitor\n", "p:1:23: not YAML: missing comma in flow mapping\n"},
        {"sensor:\n  name: a\n mode: b\n", "p:3:2: not YAML: invalid indentation in mapping\n"},
        {"sensor:\n\tname: a\n", "p:2:1: not YAML: tab character may not be used as indentation\n"},
        {"hello\n", "p:1:1: a policy is a map: write `key: value`\n"},
        {"- a\n", "p:1:1: a policy is a map: write `key: value`\n"},
        {"sensor: {}\n---\nzones: []\n",
         "p:2:1: a second document begins here: one file is one document\n"},
        {"sensor: {name: *x}\n",
         "p:1:16: anchors, aliases and tags (`&`, `*`, `!`) are not read here: write the value "
         "out, in quotes if it begins with such a sign\n"},
        {"sensor: &x {}\n",
         "p:1:12: anchors, aliases and tags (`&`, `*`, `!`) are not read here: write the value "
         "out, in quotes if it begins with such a sign\n"},
        {"zones: [[[[[[[[[[[[[[]]]]]]]]]]]]]]\n",
         "p:1:19: nested too deeply: more than 12 levels\n"},
        {"? [a]\n: b\n", "p:1:3: a key is wanted here, one word with a colon behind it\n"},
        {"sensor: {name: \"a\\0b\"}\n", "p:1:16: a NUL character inside a text\n"},
        {"sensor:\n  name: \xff\n", "p:2:9: not UTF-8: octet 0xff\n"},
        {"# \xc3\xa9\nsensor: {name: \xed\xa0\x80}\n", "p:2:16: not UTF-8: octet 0xed\n"},
        {"sensor:\n  name: \x01\n", "p:2:9: a control character: octet 0x01\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void keys(void **state)
{
    static const struct wrong list[] = {
        {"zonse: []\n", "p:1:1: a policy has no key `zonse` (did you mean `zones`?)\n"},
        {"sensor:\n  naem: gw\n", "p:2:3: `sensor` has no key `naem` (did you mean `name`?)\n"},
        {"sensor: {xyzzy: 1}\n", "p:1:10: `sensor` has no key `xyzzy`\n"},
        {"sensor: {\"a\\e[31m\": 1}\n", "p:1:10: `sensor` has no key `a\\027[31m`\n"},
        {"sensor: {}\nsensor: {}\n", "p:2:1: `sensor` is there twice; the first is in line 1\n"},
        {"sensor: 5\n", "p:1:9: `sensor` is a map: write `key: value`\n"},
        {"sensor: {name: }\n", "p:1:10: `name` has no value\n"},
        {"sensor: {name: [a]}\n", "p:1:16: `name` is one value, not a list\n"},
        {"sensor: {name: {a: b}}\n", "p:1:16: `name` is one value, not a map\n"},
        {"sensor: {interfaces: lan0}\n", "p:1:22: `interfaces` is a list: write [lan0]\n"},
        {"zones: {id: a}\n", "p:1:8: `zones` is a list: begin each entry with `- `\n"},
        {"zones:\n  - office\n",
         "p:2:5: a zone is a map: write {id: ..., ...} or one key a line\n"},
        {"probe: {interval: 1s}\n", "p:1:19: `interval` is too short: at least 10s\n"},
        {"probe: {timeout: 2h}\n", "p:1:18: `timeout` is between 1s and 60s\n"},
        {"query_log: []\n", "p:1:12: `query_log` is a map: write `key: value`\n"},
        {"query_log: {mode: sometimes}\n", "p:1:19: `mode` cannot be `sometimes`: one of off, all, "
                                           "sampled, aggregated\n"},
        {"query_log: {mode: sampled, sample: 10%, store: true}\n",
         "p:1:36: `sample` cannot be `10%`: a part as 1/100, down to 1/1000000\n"},
        {"query_log: {mode: all, sample: 1/10, interval: 2h, store: true}\n",
         "p:1:32: `sample` goes with `mode: sampled`\n"
         "p:1:48: `interval` goes with `mode: aggregated`\n"
         "p:1:48: `interval` is between 1s and 1h\n"},
        {"query_log: {clients: pseudonym, retention: 1s, zones: [defualt]}\n",
         "p:1:22: pseudonyms need `privacy: {key: FILE}`\n"
         "p:1:44: `retention` is too short: at least 1h\n"
         "p:1:56: `zones` knows no `defualt` (did you mean `default`?)\n"},
        {"privacy: {clients: pseudonym, rotate: 1s}\n",
         "p:1:10: pseudonyms need a `key`: a file that the sensor makes, which says who is who "
         "while it lives\n"
         "p:1:39: `rotate` is too short: at least 1m\n"},
        {"privacy: {clients: network, key: /k, in: []}\n",
         "p:1:20: `clients` cannot be `network`: one of plain, pseudonym\n"
         "p:1:42: `in` names no place: store, feed, or both\n"},
        {"store: {retention: {cleartxt: 90d, dns: 1m, tunnel: 5d, tunnel: 6d}}\n",
         "p:1:21: `retention` knows no `cleartxt`: a kind of event, conversations or dns (did you "
         "mean `cleartext`?)\n"
         "p:1:41: `dns` is too short: at least 1h\n"
         "p:1:57: `tunnel` is there twice\n"},
        {"outputs: [{type: clickhouse, url: \"http://h\", table: t, types: [alert, dns]}]\n",
         "p:1:64: a table is of one type: write an output for each\n"},
        {"sensor: {profile: tiny}\n",
         "p:1:19: `profile` cannot be `tiny`: one of standard, small\n"},
        {"sensor: {max_flows: 12}\n",
         "p:1:21: `max_flows` cannot be `12`: a whole number from 1024 to 16777216\n"},
        {"sensor: {place: tap, mode: enforce}\n",
         "p:1:28: a tap gets copies of packets and can cut nothing: keep mode monitor, and take "
         "the rules for the machine that can from `sealdns rules show`\n"},
        {"sensor: {place: span}\n",
         "p:1:17: `place` cannot be `span`: one of gateway, bridge, tap\n"},
        {"sensor: {place: bridge}\nzones:\n  - {id: a, vlans: [5], cleartext: reject, unapproved: "
         "reject}\n  - {id: b, vlans: [6], cleartext: redirect, redirect_to: [10.0.0.1, "
         "\"::2\"]}\n",
         "p:3:36: a bridge does not reject: write `drop`\n"
         "p:3:56: a bridge does not reject: write `drop`\n"
         "p:4:36: a bridge does not redirect: write `drop`\n"},
        {"sensor: {set_only: true, nftables: {owner: true}}\n",
         "p:1:10: `set_only` and `nftables: {owner: true}` exclude each other: nobody else can "
         "write rules into an owned table\n"},
        {"sensor: {pairs: {timeout: 0s, hidden: true}}\n",
         "p:1:31: `hidden` makes pairs, and `timeout: 0s` forbids them: take one of both out\n"},
        {"sensor: {roles: [{address: 10.0.0.5, role: resolver}]}\n",
         "p:1:44: `role` cannot be `resolver`: one of client, forwarder, recursive, secondary\n"},
        {"sensor: {roles: [{address: 10.0.0.5, role: client}, {address: 10.0.0.5, role: "
         "forwarder}]}\n",
         "p:1:63: this address has a role already\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void sensor(void **state)
{
    static const struct wrong list[] = {
        {"sensor: {mode: enforced}\n", "p:1:16: `mode` cannot be `enforced`: one of monitor, "
                                       "shadow, enforce (did you mean `enforce`?)\n"},
        {"sensor: {on_exit: leave}\n",
         "p:1:19: `on_exit` cannot be `leave`: one of keep, remove\n"},
        {"sensor: {on_resolver_outage: close}\n",
         "p:1:30: `on_resolver_outage` cannot be `close`: one of stay, open\n"},
        {"sensor: {peer: {listen: 10.0.0.1, address: 10.0.0.1, key: /k}}\n",
         "p:1:10: `listen` is this gateway's address, `address` the other's\n"},
        {"sensor: {peer: {listen: 10.0.0.1, address: \"2001:db8::1\", key: /k}}\n",
         "p:1:10: `listen` and `address` are of one family\n"},
        {"sensor: {pairs: {timeout: 4s}}\n",
         "p:1:27: `timeout` is between 5s and 1d, or 0s for no pairs\n"},
        {"sensor: {capture: {threads: 17, ring: 100KiB, cpus: [1024]}}\n",
         "p:1:29: `threads` cannot be `17`: a whole number from 1 to 16\n"
         "p:1:39: `ring` is between 1MiB and 1GiB\n"
         "p:1:54: `cpus` cannot be `1024`: a whole number from 0 to 1023\n"},
        {"sensor: {preflight: maybe}\n", "p:1:21: `preflight` cannot be `maybe`: true or false\n"},
        {"sensor: {shunt: on}\n", "p:1:17: `shunt` cannot be `on`: one of off, auto\n"},
        {"sensor: {tunnels: yes}\n", "p:1:19: `tunnels` cannot be `yes`: true or false\n"},
        {"sensor: {interfaces: [a-very-long-name]}\n",
         "p:1:23: `a-very-long-name` is no interface name: 1 to 15 characters, no space, no "
         "`/`\n"},
        {"sensor: {interfaces: [lan0, lan1, lan0]}\n",
         "p:1:35: the interface lan0 is there twice\n"},
        {"sensor: {ports: [784, 99999]}\n",
         "p:1:23: `ports` cannot be `99999`: a whole number from 1 to 65535\n"},
        {"sensor: {ports: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}\n",
         "p:1:57: too many ports: at most 16 besides 53, 853 and 443\n"},
        {"sensor: {nftables: {persist: true}}\n",
         "p:1:10: `persist` needs `owner: true`: only an owned table can outlive its owner\n"},
        {"sensor: {internal_domains: [\"a b\"]}\n",
         "p:1:29: `a b` is no DNS name: labels of a-z, 0-9, `-` and `_`, joined by dots\n"},
        {"sensor: {name: \"\"}\n", "p:1:16: `name` is empty\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void store_and_outputs(void **state)
{
    static const struct wrong list[] = {
        {"store: {path: sealdns.db}\n",
         "p:1:15: `sealdns.db` is no absolute path: begin it with `/`\n"},
        {"store: {max_size: 2 gigs}\n",
         "p:1:19: `max_size` cannot be `2 gigs`: a size such as 512MiB or 2GiB\n"},
        {"store: {max_size: 99999999999GiB}\n",
         "p:1:19: `max_size` cannot be `99999999999GiB`: a size such as 512MiB or 2GiB\n"},
        {"store: {max_size: 1MiB}\n", "p:1:19: `max_size` is too small: at least 16MiB\n"},
        {"store: {max_age: 400}\n",
         "p:1:18: `max_age` cannot be `400`: a time such as 90s, 15m, 6h, 400d or 2w\n"},
        {"store: {max_age: 1s}\n", "p:1:18: `max_age` is too short: at least 1h\n"},
        {"outputs:\n  - {type: fiel, path: /a}\n", "p:2:12: `type` cannot be `fiel`: file, stdout, "
                                                   "unix, syslog, kafka, clickhouse or webhook "
                                                   "(did you mean `file`?)\n"},
        {"web: {listen: here}\n",
         "p:1:15: `listen` cannot be `here`: ADDRESS:PORT, as 127.0.0.1:8053, or off\n"},
        {"web: {listen: \"0.0.0.0:8053\"}\n",
         "p:1:6: beyond loopback `web` needs `tls`, and a `token` or `tls: {client_ca: ...}`\n"},
        {"outputs:\n  - {type: syslog}\n", "p:2:5: an output of type syslog needs `server`\n"},
        {"outputs:\n  - {type: syslog, server: here}\n",
         "p:2:28: `server` is HOST:PORT, [ADDRESS]:PORT of IPv6\n"},
        {"outputs:\n  - {type: syslog, server: \"h:1\", ca: /a}\n",
         "p:2:5: certificates are for `transport: tls`\n"},
        {"outputs:\n  - {type: syslog, server: \"h:1\", transport: tls, key: /a}\n",
         "p:2:5: `certificate` and `key` go together\n"},
        {"outputs:\n  - {type: webhook, url: \"ftp://h/\", secret: /a}\n",
         "p:2:26: `url` begins with https:// or http://\n"},
        {"outputs:\n  - {type: kafka, server: \"h:1\", topic: t, spool: 1MiB}\n",
         "p:2:51: `spool` is too small: at least 4MiB\n"},
        {"outputs:\n  - {type: stdout, url: \"http://h/\"}\n",
         "p:2:25: an output of type stdout has no `url`\n"},
        {"outputs:\n  - {type: syslog, server: \"h:1\"}\n  - {type: syslog, server: \"h:2\"}\n",
         "p:3:5: another output is called syslog: give this one an `id`\n"},
        {"outputs:\n  - {type: file, format: oscf, path: /a}\n",
         "p:2:26: `format` cannot be `oscf`: eve, text, ecs, ocsf or cef (did you mean `ocsf`?)\n"},
        {"outputs:\n  - {type: file}\n", "p:2:5: an output of type file needs `path`\n"},
        {"outputs:\n  - {path: /a}\n", "p:2:5: an output needs `type`\n"},
        {"outputs:\n  - {type: file, path: /a}\n  - {type: file, path: /a}\n",
         "p:3:24: another output writes to this path already\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void resolvers(void **state)
{
    static const struct wrong list[] = {
        {"resolvers:\n  - {name: dns.example}\n", "p:2:5: a resolver needs `id`\n"},
        {"resolvers:\n  - {id: a}\n",
         "p:2:5: a resolver needs a `name`, `addresses` or `catalog`\n"},
        {"resolvers:\n  - {id: Corp, name: dns.example}\n",
         "p:2:10: `Corp` is no id: use a-z, 0-9 and `-`, beginning with a letter or digit\n"},
        {"resolvers:\n  - {id: a, name: 10.0.0.53}\n",
         "p:2:19: `10.0.0.53` is an address, not a name: it belongs under `addresses`\n"},
        {"resolvers:\n  - {id: a, name: dns..example}\n",
         "p:2:19: `dns..example` is no DNS name: labels of a-z, 0-9, `-` and `_`, joined by "
         "dots\n"},
        {"resolvers:\n  - {id: a, addresses: [10.0.0.300]}\n",
         "p:2:25: `10.0.0.300` is no IPv4 or IPv6 address\n"},
        {"resolvers:\n  - {id: a, addresses: [10.0.0.0/8]}\n",
         "p:2:25: `10.0.0.0/8` is no address: one without `/LENGTH` is wanted here\n"},
        {"resolvers:\n  - {id: a, addresses: [224.0.0.1]}\n",
         "p:2:25: 224.0.0.1 is no address of a server\n"},
        {"resolvers:\n  - {id: a, name: x.example, transports: [dot, doh]}\n",
         "p:2:48: `transports` cannot be `doh`: one of do53, dot, doq, doh2, doh3, dnscrypt (did "
         "you mean `doh2`?)\n"},
        {"resolvers:\n  - {id: a, name: x.example, transports: []}\n",
         "p:2:30: `transports` is empty: name what may be used\n"},
        {"resolvers:\n  - {id: a, name: x.example, pins: [\"sha256/abc\"]}\n",
         "p:2:37: `sha256/abc` is no pin: write `sha256/` and 44 characters of base64\n"},
        {"resolvers:\n  - {id: a, catalog: qaud9}\n",
         "p:2:22: the catalogue has no resolver `qaud9` (did you mean `quad9`?)\n"},
        {"resolvers:\n  - {id: a, name: x.example}\n  - {id: a, name: y.example}\n",
         "p:3:10: a resolver `a` is there already, in line 2:10\n"},
        {"resolvers:\n  - {id: a, name: x.example}\n  - {id: b, name: X.example.}\n",
         "p:3:19: X.example. is of the resolver `a` already, in line 2:19\n"},
        {"resolvers:\n  - {id: a, addresses: [10.0.0.1]}\n  - {id: b, addresses: [10.0.0.1]}\n",
         "p:3:25: 10.0.0.1 is of the resolver `a` already, in line 2:25\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void zones(void **state)
{
    static const struct wrong list[] = {
        {"zones:\n  - {networks: [10.0.0.0/8]}\n", "p:2:5: a zone needs `id`\n"},
        {"zones:\n  - {id: a}\n", "p:2:5: a zone needs `networks`, `interfaces` or `vlans`\n"},
        {"zones:\n  - {id: a, networks: [10.20.0.5/16]}\n",
         "p:2:24: `10.20.0.5/16` has bits set behind its length: did you mean 10.20.0.0/16?\n"},
        {"zones:\n  - {id: a, networks: [\"2001:db8:1::/32\"]}\n",
         "p:2:24: `2001:db8:1::/32` has bits set behind its length: did you mean "
         "2001:db8::/32?\n"},
        {"zones:\n  - {id: a, networks: [10.1.0.0/33]}\n",
         "p:2:24: `10.1.0.0/33` is no network: write 10.20.0.0/16 or \"2001:db8::/32\"\n"},
        {"zones:\n  - {id: a, networks: [10.0.0.0/8]}\n  - {id: a, networks: [11.0.0.0/8]}\n",
         "p:3:10: a zone `a` is there already, in line 2:10\n"},
        {"zones:\n  - {id: a, networks: [10.0.0.0/8]}\n  - {id: b, networks: [10.0.0.0/8]}\n",
         "p:3:24: 10.0.0.0/8 is in the zone `a` already, in line 2:24\n"},
        {"zones:\n  - {id: a, interfaces: [lan0]}\n  - {id: b, interfaces: [wan0, lan0]}\n",
         "p:3:32: lan0 is in the zone `a` already, in line 2:26\n"},
        {"zones:\n  - {id: a, networks: [10.0.0.0/8, 10.0.0.0/8]}\n",
         "p:2:36: 10.0.0.0/8 is in this zone already, in line 2:24\n"},
        {"zones:\n  - {id: a, vlans: [4095]}\n",
         "p:2:21: `vlans` cannot be `4095`: a whole number from 1 to 4094\n"},
        {"zones:\n  - {id: a, vlans: [5], approve: [crop]}\n"
         "resolvers:\n  - {id: corp, name: x.example}\n",
         "p:2:35: no resolver `crop` is defined (did you mean `corp`?)\n"},
        {"zones:\n  - {id: a, vlans: [5], approve: [quad9]}\n",
         "p:2:35: `quad9` is in the catalogue only: add {id: quad9, catalog: quad9} to "
         "`resolvers`\n"},
        {"zones:\n  - {id: a, vlans: [5], cleartext: redirect}\n",
         "p:2:36: `cleartext: redirect` needs `redirect_to`, the address of a resolver\n"},
        {"zones:\n  - {id: a, vlans: [5], cleartext: block}\n",
         "p:2:36: `cleartext` cannot be `block`: one of allow, alert, redirect, reject, drop\n"},
        {"zones:\n  - {id: a, vlans: [5], unapproved: redirect}\n",
         "p:2:37: `unapproved` cannot be `redirect`: one of allow, alert, reject, drop (did you "
         "mean `reject`?)\n"},
        {"zones:\n  - {id: default, networks: [10.0.0.0/8]}\n",
         "p:2:19: the zone `default` takes no `networks`: it is for clients of no other zone\n"},
        {"zones:\n  - {id: gateway, vlans: [5]}\n",
         "p:2:19: the zone `gateway` takes no `vlans`\n"},
        {"zones:\n  - {id: gateway}\n  - {id: gateway}\n",
         "p:3:10: a zone `gateway` is there already, in line 2:10\n"},
        {"sensor: {mode: shadow}\nzones:\n  - {id: a, vlans: [5], cleartext: redirect, "
         "redirect_to: "
         "10.0.0.1}\n",
         "p:3:13: in mode shadow the kernel no longer sees VLAN tags: name the VLAN's interface "
         "under `interfaces`\n"
         "p:3:46: warning: `redirect_to` has no address of IPv6: there clear text is rejected\n"},
        {"zones:\n  - {id: a, vlans: [5], cleartext: redirect, redirect_to: [10.0.0.1, "
         "10.0.0.2]}\n",
         "p:2:46: warning: `redirect_to` has no address of IPv6: there clear text is rejected\n"
         "p:2:70: `redirect_to` takes one address of each family\n"},
        {"zones:\n  - {id: gateway, cleartext: redirect, redirect_to: 10.0.0.1}\n",
         "p:2:30: what the gateway itself sends is not redirected: use `reject`, or give its "
         "programs another resolver\n"},
        {"zones:\n  - {id: a, vlans: [5], rollout: {}}\n",
         "p:2:25: `rollout` needs `percent`, `clients` or both\n"},
        {"zones:\n  - {id: gateway, rollout: {percent: 5}}\n",
         "p:2:19: the zone `gateway` is one machine: it takes no `rollout`\n"},
        {"sensor: {set_only: true}\nzones:\n  - {id: a, vlans: [5], rollout: {percent: 101}}\n",
         "p:3:25: `rollout` needs our rules, and `set_only` installs none: take one of both out\n"
         "p:3:44: `percent` cannot be `101`: a whole number from 0 to 100\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void exceptions(void **state)
{
    static const struct wrong list[] = {
        {"exceptions:\n  - {client: 10.0.0.1, until: 2035-01-31, reason: b}\n",
         "p:2:5: an exception needs `owner`\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2035-01-31, owner: a}\n",
         "p:2:5: an exception needs `reason`\n"},
        {"exceptions:\n  - {client: 10.0.0.1, owner: a, reason: b}\n",
         "p:2:5: an exception needs `until`\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2035-02-30, owner: a, reason: b}\n",
         "p:2:31: `until` cannot be `2035-02-30`: a day such as 2035-01-31 (it ends with that "
         "day, UTC)\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 9999-12-31, owner: a, reason: b}\n",
         "p:2:31: `until` cannot be `9999-12-31`: a day such as 2035-01-31 (it ends with that "
         "day, UTC)\n"},
        {"exceptions:\n  - {client: 10.0.0.0/8, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:14: `client` is one address: for a prefix write `network: 10.0.0.0/8`\n"},
        {"exceptions:\n  - {until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:5: an exception needs `client`, `network` or `mac`\n"},
        {"exceptions:\n  - {client: 10.0.0.1, network: 10.0.0.0/8, until: 2035-01-31, owner: a, "
         "reason: b}\n",
         "p:2:24: `client` or `network`, not both\n"},
        {"exceptions:\n  - {client: 10.0.0.1, resolver: x, until: 2035-01-31, owner: a, "
         "reason: b}\n",
         "p:2:34: no resolver `x` is defined\n"},
        {"exceptions:\n  - {mac: x, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:11: `mac` is the link address of one machine: write \"02:00:5e:10:00:09\"\n"},
        {"exceptions:\n  - {mac: 01:00:5e:10:00:09, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:11: `mac` is the link address of one machine: write \"02:00:5e:10:00:09\"\n"},
        {"exceptions:\n  - {mac: 02:00:5e:10:00:09, client: 10.0.0.1, until: 2035-01-31, owner: a, "
         "reason: b}\n",
         "p:2:6: `client`, `network` or `mac`, one of them\n"},
        {"resolvers: [{id: q, addresses: [9.9.9.9]}]\nexceptions:\n  - {mac: 02:00:5e:10:00:09, "
         "resolver: q, until: 2035-01-31, owner: a, reason: b}\n",
         "p:3:30: an exception by `mac` is for every resolver: name the machine by `client` to "
         "except it for one\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2035-01-31, owner: ~, reason: \"\"}\n",
         "p:2:43: `owner` has no value\np:2:61: `reason` is empty\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void evidence(void **state)
{
    static const struct wrong list[] = {
        {"evidence: {pcap: {ring: 1KiB}}\n",
         "p:1:18: `pcap` needs `path`\np:1:25: `ring` is between 64KiB and 1GiB\n"},
        {"evidence: {pcap: {path: /a, per_event: 0}}\n",
         "p:1:40: `per_event` cannot be `0`: a whole number from 1 to 2000\n"},
        {"evidence: {pcap: {path: /a, max_size: 1KiB}}\n",
         "p:1:39: `max_size` is too small: at least 1MiB\n"},
        {"evidence: {pcap: {path: /a, severity: none}}\n",
         "p:1:39: `severity` cannot be `none`: one of high, medium, low, informational\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void mutes(void **state)
{
    static const struct wrong list[] = {
        {"mutes:\n  - {rule: cleartext, until: 2035-01-31, reason: b}\n",
         "p:2:5: a mute needs `owner`\n"},
        {"mutes:\n  - {rule: cleartext, until: 2035-01-31, owner: a}\n",
         "p:2:5: a mute needs `reason`\n"},
        {"mutes:\n  - {rule: cleartext, owner: a, reason: b}\n", "p:2:5: a mute needs `until`\n"},
        {"mutes:\n  - {until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:5: a mute needs `rule` or `kind`\n"},
        {"mutes:\n  - {rule: cleartext, kind: cleartext, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:23: `rule` or `kind`, not both\n"},
        {"mutes:\n  - {rule: cleartxt, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:12: no detection `cleartxt` is there (did you mean `cleartext`?)\n"},
        {"mutes:\n  - {kind: sensor, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:12: what the sensor could not see, and what it installed, cannot be muted\n"},
        {"mutes:\n  - {rule: enforcement, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:12: what the sensor could not see, and what it installed, cannot be muted\n"},
        {"mutes:\n  - {kind: tunnel, client: 10.0.0.0/8, until: 2035-01-31, owner: a, reason: b}\n",
         "p:2:28: `client` is one address: for a prefix write `network: 10.0.0.0/8`\n"},
        {"mutes:\n  - {kind: tunnel, client: 10.0.0.1, network: 10.0.0.0/8, until: 2035-01-31, "
         "owner: a, reason: b}\n",
         "p:2:38: `client` or `network`, not both\n"},
        {"mutes:\n  - {kind: tunnel, until: 2035-02-30, owner: a, reason: b}\n",
         "p:2:27: `until` cannot be `2035-02-30`: a day such as 2035-01-31 (it ends with that "
         "day, UTC)\n"},
        {"mutes: {kind: tunnel}\n", "p:1:8: `mutes` is a list: begin each entry with `- `\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static void warnings(void **state)
{
    static const struct wrong list[] = {
        {"mutes:\n  - {kind: tunnel, until: 2026-11-20, owner: a, reason: b}\n",
         "p:2:27: warning: this mute has ended and is inactive\n"},
        {"mutes:\n  - {kind: tunnel, until: 2026-11-21, owner: a, reason: b}\n", ""},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2026-11-20, owner: a, reason: b}\n",
         "p:2:31: warning: this exception has ended and is inactive\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2026-11-21, owner: a, reason: b}\n", ""},
        {"zones:\n  - {id: a, networks: [10.2.0.0/16], rollout: {clients: [10.2.0.1, 10.0.0.0/8, "
         "10.3.0.1]}}\n",
         "p:2:80: warning: 10.3.0.1 is in no network of zone `a`: nobody there is enforced by "
         "this\n"},
        {"sensor: {set_only: true}\nzones:\n  - {id: a, networks: [10.2.0.0/16], cleartext: "
         "redirect, redirect_to: 10.0.0.53}\n",
         "p:3:49: warning: `set_only` installs no rules, so nothing is redirected but by your "
         "own\n"},
        {"sensor: {ports: [853]}\n", "p:1:18: warning: port 853 is watched already\n"},
        {"sensor: {ports: [784, 784]}\n", "p:1:23: warning: port 784 is watched already\n"},
        {"zones:\n  - {id: a, vlans: [5], redirect_to: 10.0.0.1}\n",
         "p:2:25: warning: `redirect_to` does nothing without `cleartext: redirect`\n"},
        {"resolvers:\n  - {id: quad9, addresses: [9.9.9.9]}\n",
         "p:2:10: warning: the catalogue has a `quad9` too, and what it has beyond this stays "
         "unapproved: `catalog: quad9` takes it whole\n"},
        {"resolvers:\n  - {id: a, addresses: [10.0.0.1, 10.0.0.1]}\n",
         "p:2:35: warning: 10.0.0.1 is there twice\n"},
        {"", ""},
        {"# nothing\n", ""},
        {"sensor:\nzones:\nresolvers: ~\nexceptions: []\n", ""},
    };

    (void)state;
    EXPECT(list, SD_OK);
}

/* In the order of their lines, whatever was read first. */
static void what_meets(void **state)
{
    static const struct wrong list[] = {
        {"zones:\n  - {id: a, networks: [10.20.0.0/16]}\n  - {id: b, networks: [10.20.7.0/24]}\n",
         "p:3:24: warning: 10.20.7.0/24 lies in 10.20.0.0/16 of the zone `a`, line 2:24: the "
         "longer prefix decides, so its clients are of `b`\n"},
        {"zones:\n  - {id: a, networks: [10.0.0.0/8, 0.0.0.0/0]}\n  - {id: b, networks: "
         "[10.1.0.0/16]}\n  - {id: c, networks: [10.2.0.0/16, 10.1.2.0/24], interfaces: [lan0]}\n"
         "  - {id: d, networks: [\"2001:db8::/32\", \"::/0\", 11.0.0.0/8]}\n",
         "p:3:24: warning: 10.1.0.0/16 lies in 10.0.0.0/8 of the zone `a`, line 2:24: the longer "
         "prefix decides, so its clients are of `b`\n"},
        {"exceptions:\n  - {client: 10.0.0.1, until: 2035-01-31, owner: a, reason: b}\n"
         "  - {network: 10.0.0.1/32, until: 2036-01-31, owner: a, reason: c}\n"
         "  - {client: 10.0.0.2, until: 2036-01-31, owner: a, reason: c}\n"
         "  - {mac: \"02:00:5e:10:00:09\", until: 2036-01-31, owner: a, reason: d}\n"
         "  - {mac: \"02:00:5e:10:00:09\", until: 2035-01-31, owner: a, reason: d}\n",
         "p:3:15: warning: 10.0.0.1/32 is excepted in line 2:14 too: this one ends later and "
         "holds\n"
         "p:6:11: warning: 02:00:5e:10:00:09 is excepted in line 5:11 too: that one ends later and "
         "holds\n"},
        {"resolvers:\n  - {id: r, addresses: [10.0.0.53], transports: [do53, dot]}\n"
         "  - {id: s, addresses: [10.0.0.54], transports: [dot]}\n"
         "zones:\n  - {id: a, networks: [10.20.0.0/16], approve: [r, s]}\n"
         "  - {id: b, networks: [10.30.0.0/16]}\n"
         "exceptions:\n  - {client: 10.20.0.1, resolver: r, until: 2035-01-31, owner: a, reason: "
         "b}\n"
         "  - {client: 10.20.0.1, resolver: s, until: 2035-01-31, owner: a, reason: b}\n"
         "  - {client: 10.30.0.1, resolver: r, until: 2035-01-31, owner: a, reason: b}\n",
         "p:8:35: warning: the zone `a` approves `r` anyhow, line 5:48, also in clear text: this "
         "exception changes nothing\n"},
        {"zones:\n  - {id: a, interfaces: [lan0]}\n  - {id: b, interfaces: [lan1, lan2]}\n"
         "  - {id: c, interfaces: [lan0], vlans: [5]}\n",
         ""},
    };

    (void)state;
    EXPECT(list, SD_OK);
}

static void many_at_once(void **state)
{
    static const struct wrong list[] = {
        {"zones:\n  - {id: a, approve: [x]}\nresolvers:\n  - {id: b}\nsensor: {mode: x}\n",
         "p:2:5: a zone needs `networks`, `interfaces` or `vlans`\n"
         "p:2:23: no resolver `x` is defined (did you mean `b`?)\n"
         "p:4:5: a resolver needs a `name`, `addresses` or `catalog`\n"
         "p:5:16: `mode` cannot be `x`: one of monitor, shadow, enforce\n"},
    };

    (void)state;
    EXPECT(list, SD_ECONF);
}

static char *repeat(const char *head, const char *body, size_t times)
{
    size_t length = strlen(head), each = strlen(body);
    char *text = malloc(length + times * each + 1);

    assert_non_null(text);
    memcpy(text, head, length);
    for (size_t i = 0; i < times; i++)
        memcpy(text + length + i * each, body, each);
    text[length + times * each] = '\0';
    return text;
}

static unsigned lines(const char *text)
{
    unsigned n = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        n++;
        text++;
    }
    return n;
}

/* What is meant to hurt costs little and is told in few lines. */
static void hostile(void **state)
{
    static const struct {
        const char *head, *body;
        size_t times;
        unsigned lines;
    } list[] = {
        {"x: ", "[", 1000000, 1},
        {"x: ", "{a: ", 1000000, 1},
        {"x: [", "1,", 400000, 1},
        {"", "a: {", 100000, 1},
        {"", "- ", 100000, 1},
        {"", "x: 1\n", 100000, 51},
        {"zones:\n", "  - x\n", 100000, 51},
        {"zones:\n  - id: a\n    networks:\n", "    - 10.0.0.0/8\n", 100000, 51},
        {"x: ", "aaaaaaaaaaaaaaaa", 1000000, 1},
        {"x: ", "aaaaaaaaaaaaaaaaa", 1000000, 1}, /* over 16 MiB */
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char *text = repeat(list[i].head, list[i].body, list[i].times);
        char *all = told(text, strlen(text), SD_ECONF);

        if (lines(all) != list[i].lines)
            fail_msg("case %zu: %u lines, should be %u: %.300s", i, lines(all), list[i].lines, all);
        free(all);
        free(text);
    }
}

/* Wrong catalogues and detections are told with their own names, and none hides another. */
static void other_files(void **state)
{
    static const char catalog[] =
        "version: 1\nresolvers:\n  - {id: a, names: [], transports: [dot], "
        "sauce: x}\n";
    static const char detection[] = "id: cleartext\nkind: cleartxt\nsignature_id: 5\nrev: 1\n"
                                    "title: x\ncategory: y\nseverity: 3\nthresholds: {a: b}\n";
    struct conf_text detections = {"d", detection, sizeof detection - 1};
    struct conf_source source = {.policy = {"p", "x: 1\n", 5},
                                 .catalog = {"c", catalog, sizeof catalog - 1},
                                 .detections = &detections,
                                 .detection_count = 1};
    struct conf_report report = {0};
    struct policy *out = NULL;
    char *all = NULL;
    size_t size;

    (void)state;
    report.to = open_memstream(&all, &size);
    assert_int_equal(conf_load(&source, &report, &out), SD_ECONF);
    fclose(report.to);
    assert_null(out);
    assert_string_equal(all, "c:3:5: an entry needs `names`, `addresses` or `shared`\n"
                             "c:3:43: an entry of the catalogue has no key `sauce` (did you mean "
                             "`source`?)\n"
                             "d:2:7: `kind` cannot be `cleartxt`: one of cleartext, downgrade, "
                             "encrypted-dns-blocked, unapproved-resolver, resolver-identity, "
                             "... (did you mean `cleartext`?)\n"
                             "d:3:15: `signature_id` cannot be `5`: a whole number from 8530000 to "
                             "8539999\n"
                             "d:8:17: `a` cannot be `b`: a whole number\n"
                             "p:1:1: a policy has no key `x`\n");
    free(all);
}

/* A decision tree is checked node by node before anything is asked of it. */
static void trees(void **state)
{
    static const struct wrong list[] = {
        {"{ask: client_median, most: 1, then: 1, other: 2}, {say: 0}, {say: 9}", ""},
        {"{ask: no_such, most: 1, then: 1, other: 2}, {say: 0}, {say: 9}",
         "d:8:14: `ask` cannot be `no_such`: one of quic, client_records, server_records, "
         "client_median, client_p90, client_query_milli, ...\n"},
        {"{say: 101}", "d:8:14: `say` cannot be `101`: a whole number from 0 to 100\n"},
        {"{say: 1}, {say: 2}", "d:8:18: node 1: no node leads to it\n"},
        {"{ask: quic, most: 0, then: 1, other: 1}, {say: 0}",
         "d:8:8: node 0: it shares a child with another node\n"},
        {"{ask: quic, most: 0, then: 1, other: 3}, {say: 0}, {say: 0}",
         "d:8:8: node 0: its children stand behind it\n"},
        {"5", "d:8:8: a node is {ask: FEATURE, most: N, then: I, other: J} or {say: N}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char text[512], *all = NULL;
        struct conf_text detections = {"d", text, 0};
        struct conf_source source = {.detections = &detections, .detection_count = 1, .now = NOW};
        struct conf_report report = {0};
        struct policy *out = NULL;
        size_t size;

        detections.length = (size_t)snprintf(
            text, sizeof text,
            "id: hidden-resolver\nkind: unapproved-resolver\nsignature_id: 8530035\nrev: 1\n"
            "title: x\ncategory: y\nseverity: 3\ntree: [%s]\n",
            list[i].text);
        report.to = open_memstream(&all, &size);
        assert_int_equal(conf_load(&source, &report, &out), *list[i].told ? SD_ECONF : SD_OK);
        fclose(report.to);
        assert_string_equal(all, list[i].told);
        free(all);
        policy_destroy(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syntax),       cmocka_unit_test(keys),
        cmocka_unit_test(sensor),       cmocka_unit_test(store_and_outputs),
        cmocka_unit_test(resolvers),    cmocka_unit_test(zones),
        cmocka_unit_test(exceptions),   cmocka_unit_test(warnings),
        cmocka_unit_test(hostile),      cmocka_unit_test(what_meets),
        cmocka_unit_test(many_at_once), cmocka_unit_test(other_files),
        cmocka_unit_test(mutes),        cmocka_unit_test(evidence),
        cmocka_unit_test(trees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
