# SPDX-License-Identifier: Apache-2.0
# cpack runs this script when the files of the package are in place. It adds what each kind of package has by custom:
# compressed manual pages, changelog and copyright for Debian, the licence for RPM.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
if(CPACK_GENERATOR STREQUAL "RPM")
  file(COPY ${CPACK_RESOURCE_FILE_LICENSE} DESTINATION ${root}/usr/share/licenses/tcmu-runner)
else()
  get_filename_component(source ${CPACK_RESOURCE_FILE_LICENSE} DIRECTORY)
  file(COPY ${source}/packaging/debian/copyright ${source}/packaging/debian/changelog
    DESTINATION ${root}/usr/share/doc/tcmu-runner)
  file(GLOB files ${root}/usr/share/man/man*/*[0-9])
  execute_process(COMMAND gzip -9n ${files} ${root}/usr/share/doc/tcmu-runner/changelog COMMAND_ERROR_IS_FATAL ANY)
endif()
