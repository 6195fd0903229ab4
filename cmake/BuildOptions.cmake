# SPDX-License-Identifier: Apache-2.0
# Compiler flags for everything in the tree.
set(TCMUR_SANITIZE "" CACHE STRING "Comma separated sanitizers, e.g. address,undefined or thread")
option(TCMUR_FUZZ "Build the libFuzzer programs (needs clang)" OFF)
option(TCMUR_WERROR "Treat warnings as errors" ON)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # _GNU_SOURCE interfaces, __attribute__((cleanup))
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g") # without -DNDEBUG: asserts guard the host

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wpointer-arith -fno-strict-aliasing -fno-common)
add_link_options(-Wl,-z,relro -Wl,-z,now) # nothing is looked up, or written to, once it serves
if(TCMUR_WERROR)
  add_compile_options(-Werror)
endif()
if(TCMUR_SANITIZE)
  add_compile_options(-fsanitize=${TCMUR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TCMUR_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_definitions(TCMUR_DEBUG=1)
endif()
