#ifndef SEALDNS_STORE_SCHEMA_H
#define SEALDNS_STORE_SCHEMA_H

/* schema_steps[n] leads from version n (PRAGMA user_version) to n + 1; NULL-terminated. */
extern const char *const schema_steps[];

#endif
