/* The program's closed vocabularies, in plain words. What is not here is shown as it came. */

export const KINDS = {
    "cleartext": "DNS in clear text",
    "downgrade": "Downgrade to clear text",
    "encrypted-dns-blocked": "Encrypted DNS blocked",
    "unapproved-resolver": "Unapproved resolver",
    "resolver-identity": "Resolver is not who it should be",
    "volume-anomaly": "Unusual volume",
    "tunnel": "Tunnel in DNS",
    "amplification": "Amplification",
    "poisoning": "Cache poisoning",
    "zone-transfer": "Zone transfer",
    "open-resolver": "Open resolver",
    "protocol-mismatch": "Not what the port says",
    "designation": "Clients moved elsewhere",
    "privacy-weak": "Weak privacy",
    "enforcement": "Enforcement",
    "sensor": "Sensor",
};
export const SEVERITIES = { 1: "high", 2: "medium", 3: "low", 4: "informational" };
export const TRANSPORTS = {
    "do53-udp": "DNS over UDP",
    "do53-tcp": "DNS over TCP",
    "dot": "DNS over TLS",
    "doq": "DNS over QUIC",
    "doh2": "DNS over HTTPS",
    "doh3": "DNS over HTTP/3",
    "dnscrypt": "DNSCrypt",
    "tls": "TLS, not DNS",
    "quic": "QUIC, not DNS",
    "other": "something else",
};
/* Where there is no room for more. */
export const SHORT = { "do53-udp": "UDP", "do53-tcp": "TCP", "dot": "DoT", "doq": "DoQ", "doh2": "DoH", "doh3": "DoH3" };
export const CLEAR = new Set(["do53-udp", "do53-tcp"]);
export const VERDICTS = {
    "allowed": "allowed",
    "excepted": "excepted",
    "blocked": "blocked",
    "redirected": "redirected",
    "would-block": "would be blocked",
    "would-redirect": "would be redirected",
};
export const MODES = {
    monitor: "Watching only: nothing is cut",
    shadow: "Shadow: rules only count",
    enforce: "Enforcing: rules cut",
};
/* What the four parts of DNS are called everywhere, from the best to the worst. */
export const PARTS = [
    ["sealed_approved", "Sealed, approved resolver", "sealed"],
    ["sealed_unapproved", "Sealed, unapproved resolver", "strange"],
    ["clear_approved", "Clear text, allowed", "allowed"],
    ["clear_unapproved", "Clear text, against policy", "clear"],
];
export const PROFILES = {
    "strict": "rather silent than in clear text",
    "opportunistic": "falls back to clear text",
    "clear-text-only": "never tries encrypted DNS",
    "mixed": "encrypted and clear text side by side",
};

/* Words of the evidence that want an explanation, by their key. */
export const EVIDENCE = {
    cause: {
        "reset": "the connection was reset",
        "timeout": "nothing came back in time",
        "icmp": "an ICMP error refused it",
        "tls-alert": "the TLS handshake ended with an alert",
        "certificate": "the certificate was refused",
        "not-tls": "what answered spoke no TLS",
        "version": "no version of TLS in common",
        "own-rule": "a rule of this sensor cut it",
        "no-answer": "connected, but no query was answered",
    },
    origin: {
        "server": "the resolver itself",
        "path": "somebody between the gateway and the resolver",
        "gateway": "this gateway",
        "client": "the client itself",
        "unknown": "the packets do not show it",
    },
    profile: PROFILES,
};

export const kind = (k) => KINDS[k] ?? k ?? "–";
export const severity = (n) => SEVERITIES[n] ?? (n ? String(n) : "–");
export const transport = (t) => TRANSPORTS[t] ?? t ?? "–";
export const verdict = (v) => VERDICTS[v] ?? v ?? "–";

/* Keys of evidence: delay_ms becomes "delay". */
export const label = (key) => {
    const words = String(key).replace(/_(ms|s|milli|bytes)$/, "").replace(/[_-]/g, " ");
    return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/\b(ttl|tls|mac|dns|sni|alpn|icmp|ech|vpn|ip|spki|rr)\b/gi, (a) => a.toUpperCase());
};
