/* A bounded cursor over bytes of the network: the only way a dissector moves. A read beyond the end
 * gives 0 and marks the cursor; check cursor_ok() once after a group of reads. Borrowed bytes. */
#ifndef SEALDNS_BASE_CURSOR_H
#define SEALDNS_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct cursor cursor_over(const void *bytes, size_t length)
{
    return (struct cursor){.at = bytes, .left = length, .failed = false};
}

static inline bool cursor_ok(const struct cursor *c)
{
    return !c->failed;
}

/* The next n bytes, or NULL (and the cursor failed) when fewer are left. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
    const uint8_t *at = c->at;

    if (c->failed || n > c->left) {
        c->failed = true;
        return NULL;
    }
    c->at += n;
    c->left -= n;
    return at;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
    return cursor_take(c, n) != NULL;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *b = cursor_take(c, 1);

    return b ? b[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *b = cursor_take(c, 2);

    return b ? (uint16_t)((unsigned)b[0] << 8 | b[1]) : 0;
}

static inline uint32_t cursor_u24(struct cursor *c)
{
    const uint8_t *b = cursor_take(c, 3);

    return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *b = cursor_take(c, 4);

    return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

/* A cursor over the next n bytes, which this one skips; failed when fewer are left. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
    const uint8_t *b = cursor_take(c, n);

    return (struct cursor){.at = b, .left = b ? n : 0, .failed = b == NULL};
}

/* The octet so far ahead, which stays where it is; 255: there is none. */
static inline uint8_t cursor_peek(const struct cursor *c, size_t ahead)
{
    return ahead < c->left ? c->at[ahead] : UINT8_MAX;
}

/* Keep at most n of what is left (a length field that ends before the frame does). */
static inline void cursor_limit(struct cursor *c, size_t n)
{
    if (n < c->left)
        c->left = n;
}

#endif
