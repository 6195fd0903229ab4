# SPDX-License-Identifier: Apache-2.0
# Libraries from the distribution; the optional ones are reported when left out.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0 gio-2.0 gio-unix-2.0)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(ISAL IMPORTED_TARGET libisal)
if(BUILD_TESTING)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
endif()

function(report_optional found name effect)
  if(NOT ${found})
    message(STATUS "Left out: ${name} (${effect})")
  endif()
endfunction()
report_optional(ISAL_FOUND "ISA-L" "CRC32C in plain C, digests are slower")
