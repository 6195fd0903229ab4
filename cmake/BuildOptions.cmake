# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags for everything in the tree.
set(TCMUR_SANITIZE "" CACHE STRING "Sanitizers separated by commas, for example address,undefined or thread")
option(TCMUR_FUZZ "Build the libFuzzer programs (needs clang)" OFF)
# The presets and the project's tests set TCMUR_WERROR. A packager's compiler may know warnings that ours does not.
option(TCMUR_WERROR "Treat warnings as errors" OFF)
option(TCMUR_HARDENING "Harden the programs: fortify, stack protector, stack clash, control flow (CET, PAC, BTI)" ON)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # _GNU_SOURCE interfaces, __attribute__((cleanup))
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT CMAKE_BUILD_TYPE AND NOT multi_config)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
endif()
# Without this check, CMake compiles position-independent code but does not link the programs with -pie.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_compile_definitions(_GNU_SOURCE)
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  # Otherwise off_t has 32 bits, and offsets beyond 2 GiB are cut without an error.
  add_compile_definitions(_FILE_OFFSET_BITS=64)
endif()
include(CheckSymbolExists)
set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
check_symbol_exists(__GLIBC__ features.h TCMUR_HAVE_GLIBC)
unset(CMAKE_REQUIRED_DEFINITIONS)
if(NOT TCMUR_HAVE_GLIBC)
  add_compile_options(-include ${CMAKE_SOURCE_DIR}/cmake/libc_compat.h)
endif()
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wvla -Wpointer-arith -fno-strict-aliasing -fno-common)
# snprintf() cuts a text that is too long, which is safe. The warning depends on the version and the optimization.
include(CheckCCompilerFlag)
check_c_compiler_flag(-Werror=format-truncation TCMUR_HAVE_FORMAT_TRUNCATION)
if(TCMUR_HAVE_FORMAT_TRUNCATION)
  add_compile_options(-Wno-format-truncation)
endif()
# The dynamic linker resolves every symbol at the start and then write-protects its tables.
add_link_options(-Wl,-z,relro -Wl,-z,now)
if(TCMUR_WERROR)
  add_compile_options(-Werror)
  # LTO repeats the warnings when it links.
  if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    add_link_options(-Werror)
  endif()
endif()
if(TCMUR_SANITIZE)
  add_compile_options(-fsanitize=${TCMUR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TCMUR_SANITIZE})
  # With gold, linking the many test programs takes half of the time. libFuzzer needs the linker that clang prefers.
  include(CheckLinkerFlag)
  check_linker_flag(C -fuse-ld=gold TCMUR_HAVE_GOLD)
  if(TCMUR_HAVE_GOLD AND NOT TCMUR_FUZZ)
    add_link_options(-fuse-ld=gold)
  endif()
elseif(TCMUR_HARDENING)
  include(Hardening)
endif()
add_compile_definitions($<$<CONFIG:Debug>:TCMUR_DEBUG=1>)
