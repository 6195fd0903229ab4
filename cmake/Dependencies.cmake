# SPDX-License-Identifier: Apache-2.0
# Libraries from the distribution. For each optional library that CMake does not find, it reports what the build lacks.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
# liburing 2.3 is the first version with io_uring_submit_and_get_events().
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing>=2.3)
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0 gio-2.0 gio-unix-2.0)
# json-glib 1.6 is the first version with defaults for missing members and ordered iteration.
pkg_check_modules(JSON_GLIB REQUIRED IMPORTED_TARGET json-glib-1.0>=1.6)
# EVP_MD_fetch() came with OpenSSL 3.
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=3)
pkg_check_modules(NL IMPORTED_TARGET libnl-3.0 libnl-genl-3.0)
pkg_check_modules(KMOD IMPORTED_TARGET libkmod)
pkg_check_modules(SYSTEMD IMPORTED_TARGET libsystemd)
pkg_check_modules(ISAL IMPORTED_TARGET libisal)
pkg_check_modules(FUSE3 IMPORTED_TARGET fuse3>=3.10)

function(report_optional found name effect)
  if(NOT ${found})
    message(STATUS "Left out: ${name} (${effect})")
  endif()
endfunction()
report_optional(ISAL_FOUND "ISA-L" "CRC32C in plain C, digests are slower")
report_optional(NL_FOUND "libnl-3" "no TCMU: the kernel front end is not built")
report_optional(KMOD_FOUND "libkmod" "the daemon does not load the kernel module target_core_user itself")
report_optional(FUSE3_FOUND "libfuse3" "no --tree: the target model is not shown as a file system")
report_optional(SYSTEMD_FOUND "libsystemd" "no readiness message to systemd, and no watchdog")

if(BUILD_TESTING)
  pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
  if(NOT CMOCKA_FOUND)
    message(STATUS "Left out: the tests (they need cmocka; on Debian, install libcmocka-dev)")
    set(BUILD_TESTING OFF)
  elseif(CMOCKA_VERSION VERSION_LESS 2.0)
    # cmocka 2.0 deprecates the old name.
    target_compile_definitions(PkgConfig::CMOCKA INTERFACE assert_uint_in_range=assert_in_range)
  endif()
endif()
