# The charts of the dashboard: uPlot, fetched as package-lock.json pins it. Without npm or without a network the pages do
# without and say so; nothing fails. What they are made of lies below ${SEALDNS_WEB_BUILT} afterwards: charts.js, charts.css
# and licenses.txt, or licenses.txt alone.
option(SEALDNS_CHARTS "fetch the library that draws the dashboard's charts (npm)" ON)
set(SEALDNS_WEB_BUILT ${CMAKE_BINARY_DIR}/web)
set(charts_from ${CMAKE_BINARY_DIR}/npm)

# fetch_charts(WHY): empty when charts_from has the library that the lock file names.
function(fetch_charts why)
  set(${why} "" PARENT_SCOPE)
  file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/package-lock.json wanted)
  if(EXISTS ${charts_from}/fetched)
    file(READ ${charts_from}/fetched had)
    if(had STREQUAL wanted)
      return()
    endif()
  endif()
  if(NOT SEALDNS_NPM)
    set(${why} "there is no npm" PARENT_SCOPE)
    return()
  endif()
  file(COPY ${CMAKE_CURRENT_LIST_DIR}/package.json ${CMAKE_CURRENT_LIST_DIR}/package-lock.json DESTINATION ${charts_from})
  execute_process(COMMAND ${SEALDNS_NPM} ci --ignore-scripts --no-audit --no-fund --no-progress
      --fetch-retries=0 --fetch-timeout=20000
    WORKING_DIRECTORY ${charts_from} TIMEOUT 60 RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    file(WRITE ${charts_from}/fetched ${wanted})
  else()
    set(${why} "npm ci failed (${status}; is there a network?)" PARENT_SCOPE)
  endif()
endfunction()

find_program(SEALDNS_NPM npm DOC "fetches the library that draws the dashboard's charts")
file(MAKE_DIRECTORY ${SEALDNS_WEB_BUILT})

# write_built(NAME TEXT): a file that is the same keeps its time, so that nothing is built again.
function(write_built name text)
  file(WRITE ${CMAKE_BINARY_DIR}/npm-${name} "${text}")
  file(COPY_FILE ${CMAKE_BINARY_DIR}/npm-${name} ${SEALDNS_WEB_BUILT}/${name} ONLY_IF_DIFFERENT)
endfunction()

set(charts_missing "SEALDNS_CHARTS is off")
if(SEALDNS_CHARTS)
  fetch_charts(charts_missing)
endif()
if(charts_missing)
  message(WARNING "the dashboard is built without charts, its tables remain: ${charts_missing}")
  file(REMOVE ${SEALDNS_WEB_BUILT}/charts.js ${SEALDNS_WEB_BUILT}/charts.css)
  write_built(licenses.txt "This build has no code of others in its pages: it was made without charts.\n")
else()
  set(uplot ${charts_from}/node_modules/uplot)
  file(READ ${uplot}/dist/uPlot.iife.min.js code)
  write_built(charts.js "${code}\nexport default uPlot;\n")
  file(COPY_FILE ${uplot}/dist/uPlot.min.css ${SEALDNS_WEB_BUILT}/charts.css ONLY_IF_DIFFERENT)
  file(READ ${uplot}/LICENSE license)
  write_built(licenses.txt "uPlot, which draws the charts\n\n${license}")
  message(STATUS "the dashboard's charts: uPlot, see ${SEALDNS_WEB_BUILT}/licenses.txt")
endif()
