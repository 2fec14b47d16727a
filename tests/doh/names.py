#!/usr/bin/env python3
"""The names that the recordings ask for: four hundred of 10 to 74 characters, as sites, CDNs and clouds have them. A tree that is
trained on names of one length learns that length. Run, it prints their records as lines of unbound.conf."""
import random

_R = random.Random(7)
SYLLABLES = "ba co del es fi gu han in jo ka lo mer no or pa qui ro sta tem ul vis wer xa yo zen".split()


def _word(least, most):
    return "".join(_R.choice(SYLLABLES) for _ in range(_R.randint(least, most)))


def _hex(n):
    return "".join(_R.choice("0123456789abcdef") for _ in range(n))


def _name():
    site = _word(1, 5) + ".example"
    kind = _R.random()
    if kind < 0.25:
        return site
    if kind < 0.5:
        return "www." + site
    if kind < 0.75:
        return ".".join(_word(1, 4) for _ in range(_R.randint(1, 3))) + "." + site
    if kind < 0.9:
        return f"{_hex(_R.randint(8, 20))}.{_word(1, 3)}-{_R.randint(1, 40)}.cdn-{site}"
    return f"{_word(2, 6)}-{_hex(8)}.eu-{_R.choice(['west', 'central', 'north'])}-{_R.randint(1, 3)}.elb.{_word(3, 5)}.{site}"


NAMES = sorted({_name() for _ in range(420)})[:400]


def main():
    print('  local-zone: "." static')
    print('  local-data: ". 300 IN SOA ns.root.example. hostmaster.root.example. 1 3600 600 86400 60"')
    for i, name in enumerate(NAMES):
        for k in range(int(1 + 7 * _R.random() ** 2)):
            print(f'  local-data: "{name}. 300 IN A 203.0.113.{111 + (i + k) % 2}"')
            if i % 2:
                print(f'  local-data: "{name}. 300 IN AAAA 2001:db8:53::{i:x}:{k:x}"')
        for _ in range(1 + i % 3):
            print(f"  local-data: '{name}. 300 IN TXT \"{'t' * int(10 + 220 * _R.random() ** 2)}\"'")
        if i % 3 == 0:
            print(f'  local-data: "{name}. 300 IN HTTPS 1 . alpn=h2 ipv4hint=203.0.113.111"')


if __name__ == "__main__":
    main()
