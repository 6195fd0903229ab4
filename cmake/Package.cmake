# SPDX-License-Identifier: Apache-2.0
# "cpack -G DEB" and "cpack -G RPM": one package with daemon, handlers, development files and the files of the service.
# packaging/README.md compares them with the source packages in packaging/debian and packaging/rpm.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tcmu-runner)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# RFC 2606 reserves .invalid: a package has no maintainer until the person who builds it sets one.
set(TCMUR_MAINTAINER "the tcmu-runner authors <nobody@tcmu-runner.invalid>" CACHE STRING "Maintainer of the package")
set(CPACK_PACKAGE_CONTACT "${TCMUR_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "SCSI disks from user space, over TCMU and iSCSI")
set(CPACK_PACKAGE_DESCRIPTION "Serves files, block devices and memory as SCSI disks: to the Linux
kernel's LIO target through its target_core_user ring, and over iSCSI by
itself. Handlers for other storage are plug-ins; their headers are included.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/cpack/finish.cmake)
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  message(STATUS "For packages, configure with -DCMAKE_INSTALL_PREFIX=/usr (this build: ${CMAKE_INSTALL_PREFIX})")
endif()

set(scripts ${CMAKE_SOURCE_DIR}/packaging/cpack)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# One of the last three has systemd-sysusers, with which postinst makes the user of the service for exports.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
  "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "dbus")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "targetcli-fb, open-iscsi, logrotate, fuse3")
# ceph-iscsi needs a handler rbd, which this version does not have.
set(CPACK_DEBIAN_PACKAGE_BREAKS "ceph-iscsi")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${scripts}/conffiles ${scripts}/preinst ${scripts}/postinst ${scripts}/prerm
  ${scripts}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0")
set(CPACK_RPM_PACKAGE_GROUP "System Environment/Daemons")
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/tcmu/tcmu.conf" "%config(noreplace) /etc/logrotate.d/tcmu-runner"
  "%license /usr/share/licenses/tcmu-runner/LICENSE")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${scripts}/rpm_post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${scripts}/rpm_preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${scripts}/rpm_postun)
# Folders of the system that other packages own.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /etc /etc/logrotate.d /usr /usr/bin /usr/include /usr/share
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/dbus-1 /usr/share/dbus-1/interfaces
  /usr/share/dbus-1/system-services /usr/share/dbus-1/system.d
  /usr/libexec /usr/share/doc /usr/share/licenses /usr/share/man /usr/share/man/man5 /usr/share/man/man8 /usr/lib /usr/lib/systemd
  /usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/share/zsh /usr/share/zsh/vendor-completions /usr/share/zsh/site-functions
  /lib /lib/systemd /lib/systemd/system ${CMAKE_INSTALL_FULL_LIBDIR}
  ${CMAKE_INSTALL_FULL_LIBDIR}/cmake ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
include(CPack)
