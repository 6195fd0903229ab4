# SPDX-License-Identifier: Apache-2.0
# Used in the tree and installed: a handler is built the same way in both places.

# tcmur_add_handler(NAME SOURCES file... [LIBS library...]): the target handler_NAME, a module handler_NAME.so that
# shows nothing but its entry point. What it calls of the daemon is resolved when the daemon loads it.
function(tcmur_add_handler name)
  cmake_parse_arguments(arg "" "" "LIBS;SOURCES" ${ARGN})
  add_library(handler_${name} MODULE ${arg_SOURCES})
  set_target_properties(handler_${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(handler_${name} PRIVATE tcmu-runner::headers ${arg_LIBS})
endfunction()
