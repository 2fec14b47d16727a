#!/usr/bin/env python3
"""What the clients of a recording do: each namespace plays one role after another until the time is up.

  sessions.py LAB DIRECTORY SECONDS SEED CLIENTS [ROLE,ROLE...]

Servers by name, see record-doh.sh: dns.* are resolvers, www.* are not; mixed is one address for both. Who played what and when goes
to DIRECTORY/roles.csv.
"""
import os
import random
import subprocess
import sys
import threading
import time

from names import NAMES

LAB, DIR, SECONDS, SEED, CLIENTS = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
ONLY = sys.argv[6].split(",") if len(sys.argv) > 6 else None
HERE = os.path.dirname(os.path.abspath(__file__))
END = time.monotonic() + SECONDS
BROWSER = threading.Lock()  # one at a time: two cores
DNS = ["dns.padded.example", "dns.plain.example", "dns.dist.example", "dns.mixed.example"]
WWW = ["www.one.example", "www.two.example", "www.mixed.example"]
RANDOM = random.Random(SEED)


def host(r):
    return r.choice(NAMES)


def questions(r, n):
    return [word for _ in range(n) for word in (host(r), r.choice(["A", "A", "AAAA", "HTTPS", "TXT"]))]


def kdig(r):
    name = r.choice(DNS)
    words = ["kdig", f"@{name}", "+https-get" if r.random() < 0.3 else "+https", "+keepopen", "+retry=0", "+time=3",
             r.choice(["+padding", "+nopadding", "+padding", "+alignment"]), "+noall"]
    return words + questions(r, r.randrange(14, 60))


def curl_doh(r):
    urls = [f"http://{host(r)}/s" for _ in range(r.randrange(8, 40))]
    return ["curl", "-sk", "-o", "/dev/null", "--doh-insecure", "--doh-url", f"https://{r.choice(DNS)}/dns-query",
            "--rate", f"{r.randrange(40, 400)}/m", "-m", "30", *urls]


def dnsperf(r):
    name = r.choice(DNS[:3])  # it sends no name, and caddy wants one
    path = f"{DIR}/queries-{r.randrange(1 << 30)}"
    with open(path, "w", encoding="ascii") as out:
        words = iter(questions(r, 200))
        out.writelines(f"{q} {next(words).replace('HTTPS', 'TYPE65')}\n" for q in words)
    return ["dnsperf", "-m", "doh", "-s", address(name), "-d", path, "-c", "1", "-T", "1", "-q", str(r.randrange(1, 6)),
            "-Q", str(r.choice([1, 2, 5, 10, 20])), "-l", str(r.randrange(8, 25)), "-O", f"doh-uri=https://{name}/dns-query",
            "-O", f"doh-method={r.choice(['GET', 'POST'])}"]


def dnss(r):
    """A forwarder in Go: browsers behind a home gateway look like this."""
    port, path = r.randrange(20000, 30000), f"{DIR}/queries-{r.randrange(1 << 30)}"
    with open(path, "w", encoding="ascii") as out:
        out.writelines(f"{host(r)} {r.choice(['A', 'AAAA', 'TXT'])}\n" for _ in range(300))
    serve = f"dnss -enable_dns_to_https -enable_cache=false -https_client_cafile {DIR}/lab-ca.pem " \
            f"-https_upstream https://{r.choice(DNS)}/dns-query -fallback_upstream 10.53.0.1:53 -dns_listen_addr 127.0.0.1:{port}"
    return ["sh", "-c", f"{serve} & pid=$!; sleep 1; dnsperf -s 127.0.0.1 -p {port} -d {path} -q 2 -Q {r.choice([1, 3, 6, 12])} "
                        f"-l {r.randrange(10, 22)}; kill $pid"]


def dnsdist(r):
    """Another forwarder; it does not pad."""
    name, port, path = r.choice(DNS), r.randrange(20000, 30000), scratch(r)
    with open(f"{path}/queries", "w", encoding="ascii") as out:
        out.writelines(f"{host(r)} {r.choice(['A', 'AAAA', 'TXT', 'TYPE65'])}\n" for _ in range(300))
    with open(f"{path}/conf", "w", encoding="ascii") as out:
        out.write(f'setLocal("127.0.0.1:{port}") setACL("0.0.0.0/0") newServer{{address="{address(name)}:443", tls="openssl", '
                  f'subjectName="{name}", dohPath="/dns-query", validateCertificates=false, healthCheckMode="up"}}\n')
    return ["sh", "-c", f"dnsdist --supervised -C {path}/conf & pid=$!; sleep 1; dnsperf -s 127.0.0.1 -p {port} -d {path}/queries "
                        f"-q {r.choice([1, 3])} -Q {r.choice([1, 3, 6, 12])} -l {r.randrange(10, 22)}; kill $pid"]


def program_doh(r):
    return ["/usr/bin/python3", f"{HERE}/ask.py", "doh", r.choice(DNS), str(r.randrange(10, 25)), str(r.randrange(1 << 30))]


def program_api(r):
    return ["/usr/bin/python3", f"{HERE}/ask.py", "api", r.choice(WWW), str(r.randrange(10, 25)), str(r.randrange(1 << 30))]


def firefox(r, url, seconds, doh=None):
    home = f"{DIR}/firefox-{r.randrange(1 << 30)}"
    os.makedirs(f"{home}/profile")
    subprocess.run(["cp", "-r", f"{DIR}/nssdb/.", f"{home}/profile"], check=True)
    wishes = {"datareporting.policy.dataSubmissionEnabled": "false", "dom.security.https_first": "false", "app.update.auto": "false",
              "browser.shell.checkDefaultBrowser": "false", "network.captive-portal-service.enabled": "false",
              "network.connectivity-service.enabled": "false", "browser.safebrowsing.malware.enabled": "false",
              "browser.safebrowsing.phishing.enabled": "false", "services.settings.server": '"data:,"'}
    if doh:
        wishes |= {"network.trr.mode": "3", "network.trr.uri": f'"{doh}"', "network.trr.custom_uri": f'"{doh}"',
                   "network.trr.allow-rfc1918": "true", "network.trr.confirmationNS": '"skip"', "network.trr.useGET":
                   r.choice(["true", "false"])}
    with open(f"{home}/profile/user.js", "w", encoding="ascii") as out:
        out.writelines(f'user_pref("{name}", {value});\n' for name, value in wishes.items())
    return ["env", f"HOME={home}", "MOZ_CRASHREPORTER_DISABLE=1", "timeout", "-k", "2", str(seconds), "firefox-esr", "--headless",
            "--no-remote", "--profile", f"{home}/profile", url]


def firefox_doh(r):
    return firefox(r, f"http://{NAMES[0]}/page/hosts?every={r.randrange(300, 1500)}", r.randrange(20, 32),
                   f"https://{r.choice(DNS)}/dns-query")


def firefox_web(r):
    return firefox(r, f"https://{r.choice(WWW)}/page/{r.choice(['poll', 'tiles'])}?every={r.randrange(150, 1200)}"
                      f"&n={r.choice([100, 400, 2000])}", r.randrange(18, 28))


def chromium(r, url, seconds, doh=None, quic=()):
    home = f"{DIR}/chromium-{r.randrange(1 << 30)}"
    os.makedirs(f"{home}/.pki/nssdb")
    subprocess.run(["cp", "-r", f"{DIR}/nssdb/.", f"{home}/.pki/nssdb"], check=True)
    os.makedirs(f"{home}/data")
    if doh:
        with open(f"{home}/data/Local State", "w", encoding="ascii") as out:
            out.write('{"dns_over_https":{"mode":"secure","templates":"%s"}}' % doh)
    with open(f"{DIR}/spki", encoding="ascii") as spki:
        pins = spki.read().strip()
    words = ["env", f"HOME={home}", "timeout", "-k", "2", str(seconds), "chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--remote-debugging-port=0", f"--user-data-dir={home}/data", f"--ignore-certificate-errors-spki-list={pins}",
             "--disable-features=OptimizationHints,MediaRouter,Translate"]
    words += [f"--origin-to-force-quic-on={','.join(quic)}"] if quic else ["--disable-quic"]
    return words + [url]


def chromium_doh(r):
    name = r.choice(DNS + ["dns.h3.example"] * 2)
    template = f"https://{name}/dns-query" + r.choice(["", "{?dns}"])
    return chromium(r, f"http://{NAMES[0]}/page/hosts?every={r.randrange(300, 1500)}", r.randrange(18, 30), template,
                    ("dns.h3.example:443",) if "h3" in name else ())


def chromium_web(r):
    name = r.choice(WWW + ["www.h3.example"] * 2)
    page = r.choice(["poll", "poll", "tiles"])
    return chromium(r, f"https://{name}/page/{page}?every={r.randrange(150, 1200)}&n={r.choice([100, 400, 2000])}",
                    r.randrange(15, 25), None, ("www.h3.example:443",) if "h3" in name else ())


def app_doh(r):
    return ["node", f"{HERE}/http2.js", "doh", r.choice(DNS), "/", str(r.randrange(10, 25))]


def app(r):
    kind = r.choice(["poll", "post", "suggest", "lookup", "lookup", "rpc"])
    return ["node", f"{HERE}/http2.js", kind, r.choice(WWW), "/", str(r.randrange(10, 25))]


def curl_api(r):
    name, most = r.choice(WWW), r.choice([120, 400, 1200])
    urls = [f"https://{name}/api?n={r.randrange(20, most)}&id={r.randrange(1 << r.choice([8, 30, 120]))}"
            for _ in range(r.randrange(25, 90))]
    extra = r.choice([[], ["--http1.1"], ["-H", "Cookie: " + "c" * r.randrange(20, 400)], ["-d", "x" * r.randrange(10, 200)]])
    return ["curl", "-sk", "-o", "/dev/null", "--rate", f"{r.randrange(60, 900)}/m", "-m", "30", *extra, *urls]


def curl_page(r):
    name, most = r.choice(WWW), r.choice([900, 4000, 30000])
    urls = [f"https://{name}/obj/{r.randrange(200, most)}" for _ in range(r.randrange(20, 80))]
    return ["curl", "-sk", "-o", "/dev/null", "--remote-name-all", "-m", "20", *r.choice([[], ["-Z"]]), *urls]


def page(r):
    return ["sh", "-c", "cd $0 && exec \"$@\"", scratch(r), *curl_page(r)]


def scratch(r):
    path = f"{DIR}/scratch-{r.randrange(1 << 30)}"
    os.makedirs(path)
    return path


def download(r):
    return ["curl", "-sk", "-o", "/dev/null", f"https://{r.choice(WWW)}/obj/{r.randrange(100000, 8000000)}"]


def chat(r):
    return ["/usr/bin/python3", f"{HERE}/talk.py", r.choice(WWW), str(r.randrange(10, 30))]


def sse(r):
    return ["curl", "-skN", "-o", "/dev/null", f"https://{r.choice(WWW)}/events?n={r.randrange(10, 60)}&every={r.randrange(100, 900)}"]


ROLES = {"kdig": kdig, "curl-doh": curl_doh, "dnsperf": dnsperf, "dnss": dnss, "dnsdist": dnsdist,
         "program-doh": program_doh, "program-api": program_api, "firefox-doh": firefox_doh, "firefox-web": firefox_web,
         "chromium-doh": chromium_doh, "chromium-web": chromium_web, "app-doh": app_doh, "app": app, "curl-api": curl_api, "page": page, "download": download, "chat": chat,
         "sse": sse}
WEIGHTS = {"kdig": 3, "curl-doh": 3, "dnsperf": 3, "dnss": 2, "dnsdist": 2, "program-doh": 3, "program-api": 4, "firefox-doh": 2,
           "firefox-web": 2, "chromium-doh": 3, "chromium-web": 3, "app-doh": 2, "app": 6, "curl-api": 4,
           "page": 2, "download": 1, "chat": 3, "sse": 1}


def address(name):
    with open(f"{DIR}/hosts", encoding="ascii") as hosts:
        return next(line.split()[0] for line in hosts if line.split()[1] == name)


def play(number):
    r = random.Random(SEED * 1000 + number)
    names = ONLY or list(ROLES)
    while time.monotonic() < END - 8:
        role = r.choices(names, [WEIGHTS[n] for n in names])[0]
        browser = role.startswith(("chromium", "firefox"))
        if browser and not BROWSER.acquire(blocking=False):  # pylint: disable=consider-using-with
            continue
        words = ROLES[role](r)
        began = time.monotonic()
        with open(f"{DIR}/roles.csv", "a", encoding="ascii") as out:
            part = f"-{words[2]}" if role == "app" else ""
            out.write(f"10.53.1.{number + 1},{time.time_ns() // 1000000},{role}{part}\n")
        done = subprocess.run(["ip", "netns", "exec", f"{LAB}-c{number}", "timeout", "-k", "2", str(max(3, END - began)), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if browser:
            BROWSER.release()
        print(f"c{number} {role} status {done.returncode} {time.monotonic() - began:.1f}s {' '.join(words)[:110]}", flush=True)
        if os.environ.get("LAB_TALK"):
            print(done.stderr.decode(errors="replace")[-600:], done.stdout.decode(errors="replace")[-200:], flush=True)
        time.sleep(r.uniform(0, 1))


threads = [threading.Thread(target=play, args=(n,)) for n in range(1, CLIENTS + 1)]
for t in threads:
    t.start()
for t in threads:
    t.join()
