# cmake -D OUTPUT=FILE.c -D OBJECT=FILE.o -P embed.cmake: the eBPF filter as a C array.
file(READ ${OBJECT} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE ${OUTPUT} "/* Generated from sensor/capture/shunt.bpf.c. */\n#include \"capture/shunt_program.h\"\n\n"
  "_Alignas(8) const uint8_t shunt_program[] = {\n${hex}\n};\n"
  "const size_t shunt_program_size = sizeof shunt_program;\n")
