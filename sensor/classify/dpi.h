/* nDPI as the classifier uses it: one flow's packets in, what it recognised out. ndpi.c is the only
 * file that knows the library and its versions. */
#ifndef SEALDNS_CLASSIFY_DPI_H
#define SEALDNS_CLASSIFY_DPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/classifier.h"

struct dpi;      /* one a thread: nDPI keeps the packet it looks at in its module */
struct dpi_flow; /* nDPI's state of one flow */

/* NULL: out of memory, or nDPI did not start. */
struct dpi *dpi_create(void);
void dpi_destroy(struct dpi *d);
const char *dpi_version(void);

/* A flow's state, from a free list. NULL: out of memory. */
struct dpi_flow *dpi_flow_open(struct dpi *d);
void dpi_flow_close(struct dpi *d, struct dpi_flow *f);

/* One packet of the flow. True while nDPI may learn more from further packets. */
bool dpi_flow_feed(struct dpi *d, struct dpi_flow *f, const struct packet *packet);
enum classify_guess dpi_flow_guess(const struct dpi_flow *f);
/* The server's name in the hello, printable; "" when there is none. */
void dpi_flow_name(const struct dpi_flow *f, char *out, size_t size);

#endif
