/* The texts a policy is made of, as files give them: the policy, and beside it catalog.yaml and
 * detections/ID.yaml, which override what is embedded. They can be packed into a descriptor, so
 * that a process without files gets them from one that has. */
#ifndef SEALDNS_CONF_FILES_H
#define SEALDNS_CONF_FILES_H

#include <stdio.h>

#include "conf/conf.h"

struct policy_files;

/* path NULL: `otherwise` if there is such a file, else the built-in policy. SD_ENOENT: no such
 * file; SD_EIO, SD_ELIMIT, SD_EMEM: *to got one line. */
int policy_files_read(const char *path, const char *otherwise, FILE *to, struct policy_files **out);
void policy_files_free(struct policy_files *f);

/* Compiles them. As conf_load(). */
int policy_files_load(const struct policy_files *f, const struct addr *gateway,
                      size_t gateway_count, nsec_t now, FILE *to, struct policy **out);

/* The path of the policy file, "" for the built-in policy. */
const char *policy_files_path(const struct policy_files *f);

/* The policy's own text is the same, whatever lies beside it. */
bool policy_files_agree(const struct policy_files *a, const struct policy_files *b);

/* The catalogue that they have; the embedded one where no file lies beside the policy. */
const struct conf_text *policy_files_catalog(const struct policy_files *f);

/* Writes a text to a file by way of a temporary name: whoever reads it has the old or the new one,
 * whole. SD_EIO. */
int conf_keep_text(const struct conf_text *t, const char *path);

/* A memfd with all texts, to be closed; or SD_EMEM, SD_EIO. */
int policy_files_pack(const struct policy_files *f);
/* The reverse; the descriptor stays the caller's. SD_EMALF, SD_EMEM, SD_EIO. */
int policy_files_unpack(int descriptor, struct policy_files **out);

/* Writes the policy's own text to a file, by way of a temporary name: the last good policy; and a
 * catalogue that it came with to PATH.catalog, where policy_files_read() looks for one first. The
 * built-in policy needs none. SD_EIO. */
int policy_files_keep(const struct policy_files *f, const char *path);

#endif
