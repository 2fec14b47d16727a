/* The vocabularies of syslog, as those of model/vocabulary.h. */
#ifndef SEALDNS_MODEL_SYSLOG_WORDS_H
#define SEALDNS_MODEL_SYSLOG_WORDS_H

/* How syslog goes to its receiver: RFC 5426, 6587, 5425. */
#define SYSLOG_TRANSPORTS(X) X(SYSLOG_UDP, "udp") X(SYSLOG_TCP, "tcp") X(SYSLOG_TLS, "tls")

/* RFC 5424 6.2.1, in the order of their numbers. */
#define SYSLOG_FACILITIES(X)                                                                       \
    X(FACILITY_KERN, "kern")                                                                       \
    X(FACILITY_USER, "user")                                                                       \
    X(FACILITY_MAIL, "mail")                                                                       \
    X(FACILITY_DAEMON, "daemon")                                                                   \
    X(FACILITY_AUTH, "auth")                                                                       \
    X(FACILITY_SYSLOG, "syslog")                                                                   \
    X(FACILITY_LPR, "lpr")                                                                         \
    X(FACILITY_NEWS, "news")                                                                       \
    X(FACILITY_UUCP, "uucp")                                                                       \
    X(FACILITY_CRON, "cron")                                                                       \
    X(FACILITY_AUTHPRIV, "authpriv")                                                               \
    X(FACILITY_FTP, "ftp")                                                                         \
    X(FACILITY_NTP, "ntp")                                                                         \
    X(FACILITY_AUDIT, "audit")                                                                     \
    X(FACILITY_ALERT, "alert")                                                                     \
    X(FACILITY_CLOCK, "clock")                                                                     \
    X(FACILITY_LOCAL0, "local0")                                                                   \
    X(FACILITY_LOCAL1, "local1")                                                                   \
    X(FACILITY_LOCAL2, "local2")                                                                   \
    X(FACILITY_LOCAL3, "local3")                                                                   \
    X(FACILITY_LOCAL4, "local4")                                                                   \
    X(FACILITY_LOCAL5, "local5")                                                                   \
    X(FACILITY_LOCAL6, "local6")                                                                   \
    X(FACILITY_LOCAL7, "local7")

#endif
