# SPDX-License-Identifier: Apache-2.0
# One static library for each folder of runner/. A library sees the headers of the libraries that it links, and no
# others: each library has an include root of its own that contains one link, <root>/<name> -> runner/<name>. So
# #include "scsi/cmd.h" in runner/loop does not build.

# tcmur_layer_root(NAME): sets the include root of the target of the current folder.
function(tcmur_layer_root name)
  set(root ${CMAKE_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${name} SYMBOLIC)
  target_include_directories(${name} PUBLIC ${root})
endfunction()

# tcmur_library(NAME DEPENDS lib... LIBS external... SOURCES file...): defines the library of a folder.
function(tcmur_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBS;SOURCES" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  tcmur_layer_root(${name})
  target_link_libraries(${name} PUBLIC ${arg_DEPENDS} ${arg_LIBS})
endfunction()

# tcmur_handler(NAME SOURCES file... [LIBS external...]): builds handler_NAME.so, installs it.
include(tcmurAddHandler)
function(tcmur_handler name)
  tcmur_add_handler(${name} ${ARGN})
  tcmur_plugin(handler_${name})
endfunction()

# tcmur_filter(NAME SOURCES file... [LIBS external...]): builds filter_NAME.so, installs it.
function(tcmur_filter name)
  tcmur_add_filter(${name} ${ARGN})
  tcmur_plugin(filter_${name})
endfunction()

function(tcmur_plugin target)
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/handlers)
  install(TARGETS ${target} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tcmu-runner)
  set_property(GLOBAL APPEND PROPERTY TCMUR_HANDLERS ${target})
endfunction()

# A unit test takes seconds. A test that hangs reaches this limit; a test on a busy machine must not.
set(TCMUR_UNIT_TEST_TIMEOUT 900 CACHE STRING "Seconds that a unit test may take")
# tcmur_unit_test(NAME [ONE_THREAD] SOURCES file... LIBS lib...): a cmocka program, run by ctest as unit/NAME. A program
# with ONE_THREAD never starts a thread, so TSan has nothing to find in it: ctest -LE one_thread leaves it out.
function(tcmur_unit_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(arg "ONE_THREAD" "" "LIBS;SOURCES" ${ARGN})
  add_executable(unit_${name} ${arg_SOURCES})
  target_link_libraries(unit_${name} PRIVATE ${arg_LIBS} PkgConfig::CMOCKA)
  add_test(NAME unit/${name} COMMAND unit_${name})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT ${TCMUR_UNIT_TEST_TIMEOUT} SKIP_RETURN_CODE 77)
  if(arg_ONE_THREAD)
    set_tests_properties(unit/${name} PROPERTIES LABELS one_thread)
  else()
    set_property(GLOBAL APPEND PROPERTY TCMUR_THREADED_TESTS unit_${name})
  endif()
endfunction()

# tcmur_test_objects(NAME SOURCES file... LIBS lib...): fakes and fixtures that several test programs use, compiled
# once. They are objects and not an archive, because a fake must replace a function even where only a library calls it.
function(tcmur_test_objects name)
  cmake_parse_arguments(arg "" "" "LIBS;SOURCES" ${ARGN})
  add_library(${name} OBJECT ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LIBS})
endfunction()

# tcmur_handler_host(TARGET): makes a program able to load handlers, which need the functions of <tcmur/*.h> in it.
# The linker gets each function by name, because it would otherwise leave out those that the program itself does not
# call.
function(tcmur_handler_host target)
  set(syms ${CMAKE_SOURCE_DIR}/runner/tcmur.syms)
  file(STRINGS ${syms} functions REGEX "tcmur_")
  foreach(function ${functions})
    string(REGEX MATCH "tcmur_[a-z_]+" function "${function}")
    target_link_options(${target} PRIVATE LINKER:-u,${function})
  endforeach()
  target_link_options(${target} PRIVATE LINKER:--dynamic-list=${syms})
  set_target_properties(${target} PROPERTIES LINK_DEPENDS ${syms})
endfunction()
