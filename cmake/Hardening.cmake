# SPDX-License-Identifier: Apache-2.0
# The daemon runs as root and reads bytes from strangers. These flags turn some memory errors into a crash. Each flag
# is used where the compiler has it for this processor. Flags that the packager sets in CFLAGS stay as they are.
include(CheckCCompilerFlag)
function(harden flag variable)
  set(CMAKE_REQUIRED_FLAGS -Werror)
  check_c_compiler_flag(${flag} ${variable})
  if(${variable})
    add_compile_options(${flag})
  endif()
endfunction()

if(NOT CMAKE_C_FLAGS MATCHES "-f(no-)?stack-protector")
  harden(-fstack-protector-strong TCMUR_HAVE_STACK_PROTECTOR)
endif()
if(NOT CMAKE_C_FLAGS MATCHES "-f(no-)?stack-clash-protection")
  harden(-fstack-clash-protection TCMUR_HAVE_STACK_CLASH)
endif()
if(NOT CMAKE_C_FLAGS MATCHES "-fcf-protection" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86|amd64|AMD64|i[3-6]86")
  harden(-fcf-protection TCMUR_HAVE_CET)
endif()
if(NOT CMAKE_C_FLAGS MATCHES "-mbranch-protection" AND CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  harden(-mbranch-protection=standard TCMUR_HAVE_BRANCH_PROTECTION)
endif()
# Fortified functions need an optimizing compiler; without one, the C library warns.
if(NOT CMAKE_C_FLAGS MATCHES "FORTIFY_SOURCE")
  add_compile_options("$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")
endif()
