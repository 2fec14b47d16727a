# cmake -D OUTPUT=FILE.c -D RULES=FOLDER -P embed.cmake: the catalogue and the detections under RULES as
# C arrays, in the order of their names.
function(append_bytes symbol file)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  file(APPEND ${OUTPUT}.part "static const char ${symbol}[] = {\n${hex}\n0};\n\n")
endfunction()

file(WRITE ${OUTPUT}.part "/* Generated from rules/ by sensor/conf/embed.cmake. */\n#include \"conf/embedded.h\"\n\n")
append_bytes(catalog ${RULES}/catalog.yaml)
file(APPEND ${OUTPUT}.part "const struct conf_text embedded_catalog = {\"catalog.yaml (built in)\", catalog, sizeof catalog - 1};\n\n")

file(GLOB detections ${RULES}/detections/*.yaml)
list(SORT detections)
set(entries)
foreach(file ${detections})
  get_filename_component(id ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER "detection_${id}" symbol)
  append_bytes(${symbol} ${file})
  string(APPEND entries "    {\"detections/${id}.yaml (built in)\", ${symbol}, sizeof ${symbol} - 1},\n")
endforeach()
file(APPEND ${OUTPUT}.part "const struct conf_text embedded_detections[] = {\n${entries}};\n"
  "const size_t embedded_detection_count = sizeof embedded_detections / sizeof *embedded_detections;\n")
file(RENAME ${OUTPUT}.part ${OUTPUT})
