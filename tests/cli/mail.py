#!/usr/bin/env python3
"""mail.py MAIL FILE ADDRESS...: the mail goes to these, can be read, and has exactly that file attached."""
import email
import email.policy
import sys

with open(sys.argv[1], "rb") as source:
    mail = email.message_from_binary_file(source, policy=email.policy.default)
with open(sys.argv[2], "rb") as source:
    file = source.read()
parts = list(mail.iter_parts())
good = [a.addr_spec for a in mail["To"].addresses] == sys.argv[3:] and "report of gw-report" in mail["Subject"] and len(parts) == 2 and not mail.defects
good = good and "How much of DNS is sealed" in parts[0].get_content() and parts[1].get_content() == file and parts[1].get_filename() == "m.pdf"
sys.exit(0 if good else f"{mail.items()} {[p.items() for p in parts]} {mail.defects}")
