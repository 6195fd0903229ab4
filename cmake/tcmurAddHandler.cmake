# SPDX-License-Identifier: Apache-2.0
# Used in the tree and installed: a handler or a filter is built the same way in both places.

# tcmur_add_handler(NAME SOURCES file... [LIBS library...]): defines the target handler_NAME, which builds the module
# handler_NAME.so. The module exports only its entry point. The daemon's functions that it calls are found when the
# daemon loads it.
function(tcmur_add_handler name)
  tcmur_add_plugin(handler_${name} ${ARGN})
endfunction()

# tcmur_add_filter(NAME SOURCES file... [LIBS library...]): the same for the target filter_NAME.
function(tcmur_add_filter name)
  tcmur_add_plugin(filter_${name} ${ARGN})
endfunction()

function(tcmur_add_plugin target)
  cmake_parse_arguments(arg "" "" "LIBS;SOURCES" ${ARGN})
  add_library(${target} MODULE ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(${target} PRIVATE tcmu-runner::headers ${arg_LIBS})
endfunction()
