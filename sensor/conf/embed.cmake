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

# append_folder(NAME ARRAY COUNT): the files of rules/NAME/.
function(append_folder name array count)
  file(GLOB files ${RULES}/${name}/*.yaml)
  list(SORT files)
  set(entries)
  foreach(file ${files})
    get_filename_component(id ${file} NAME)
    string(MAKE_C_IDENTIFIER "${name}_${id}" symbol)
    append_bytes(${symbol} ${file})
    string(APPEND entries "    {\"${name}/${id} (built in)\", ${symbol}, sizeof ${symbol} - 1},\n")
  endforeach()
  file(APPEND ${OUTPUT}.part "const struct conf_text ${array}[] = {\n${entries}};\n"
    "const size_t ${count} = sizeof ${array} / sizeof *${array};\n\n")
endfunction()

append_folder(detections embedded_detections embedded_detection_count)
append_folder(controls embedded_controls embedded_control_count)
file(RENAME ${OUTPUT}.part ${OUTPUT})
