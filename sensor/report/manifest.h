/* What a report's file is, signed by the installation that made it (Ed25519, RFC 8032): who changes
 * the file, or what is said of it, is found out. The key lies beside the store and never leaves it;
 * an auditor who has noted its public half once can tell reports of this installation from others.
 */
#ifndef SEALDNS_REPORT_MANIFEST_H
#define SEALDNS_REPORT_MANIFEST_H

#include <jansson.h>
#include <stdio.h>

#define MANIFEST_ERROR  256
#define MANIFEST_SUFFIX ".manifest.json"

/* Writes FILE.manifest.json for the report in that file. key: a PEM file, made (mode 0600) where
 * there is none. rows: the store's last event row, which says what the report could know. SD_EIO,
 * SD_EPERM, SD_EFORMAT (that is no Ed25519 key), SD_EMEM: error says which and where. */
int manifest_write(const char *file, const char *key, const json_t *report, const char *format,
                   int64_t rows, char error[MANIFEST_ERROR]);

/* Says in *to, line by line, what the manifest states. SD_OK: file and manifest are as they were
 * signed, and by that key (PEM, either half) where `key` is there. SD_EMALF: they are not; SD_EIO,
 * SD_EFORMAT, SD_EMEM: it cannot be told; error says why. */
int manifest_check(const char *file, const char *key, FILE *to, char error[MANIFEST_ERROR]);

#endif
