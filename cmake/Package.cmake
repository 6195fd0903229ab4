# SPDX-License-Identifier: Apache-2.0
# cpack -G DEB: one package with daemon, handlers, development files and what the system needs to run it as a service.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tcmu-runner2) # not tcmu-runner: Debian's package of that name is another program
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# Nobody answers for a package until somebody who builds it says that he does: .invalid is reserved for that (RFC 2606).
set(TCMUR_MAINTAINER "the tcmu-runner authors <nobody@tcmu-runner.invalid>" CACHE STRING "Maintainer of the package")
set(CPACK_PACKAGE_CONTACT "${TCMUR_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SCSI disks from user space, over TCMU and iSCSI")
set(CPACK_PACKAGE_DESCRIPTION "Serves files, block devices and memory as SCSI disks: to the Linux
kernel's LIO target through its target_core_user ring, and over iSCSI by
itself. Handlers for other storage are plug-ins; their headers are included.")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(debian ${CMAKE_SOURCE_DIR}/packaging/debian)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "dbus")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "targetcli-fb, open-iscsi, logrotate")
set(CPACK_DEBIAN_PACKAGE_PROVIDES "tcmu-runner (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PACKAGE_CONFLICTS tcmu-runner)
set(CPACK_DEBIAN_PACKAGE_REPLACES tcmu-runner)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/compress.cmake)
configure_file(${debian}/changelog.in changelog @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog ${debian}/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_PACKAGE_NAME})
include(CPack)
