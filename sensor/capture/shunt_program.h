/* The eBPF filter as clang made it of shunt.bpf.c, an ELF file. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_SHUNT_PROGRAM_H
#define SEALDNS_CAPTURE_SHUNT_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t shunt_program[];
extern const size_t shunt_program_size;

#endif
