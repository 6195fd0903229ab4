# SPDX-License-Identifier: Apache-2.0
# Run by cpack before it builds the package: manual pages and changelog as Debian has them.
file(GLOB files ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/man/man*/*[0-9]
  ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share/doc/*/changelog)
execute_process(COMMAND gzip -9n ${files} COMMAND_ERROR_IS_FATAL ANY)
