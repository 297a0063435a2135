# Packs data/catalog and data/claims.yaml into one pre-parsed file (tools/pack.cpp)
# and links it into the catalogue library with .incbin, so start-up parses no YAML.
file(GLOB_RECURSE catalog_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/catalog/*.yaml)
set(pack_inputs ${catalog_files})
if(EXISTS ${CMAKE_SOURCE_DIR}/data/claims.yaml)
  list(APPEND pack_inputs ${CMAKE_SOURCE_DIR}/data/claims.yaml)
endif()

add_executable(headroom_pack ${CMAKE_SOURCE_DIR}/tools/pack/pack.cpp)
target_link_libraries(headroom_pack PRIVATE headroom_spec)

set(packed ${CMAKE_BINARY_DIR}/generated/catalog.pack)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
add_custom_command(
  OUTPUT ${packed}
  COMMAND headroom_pack ${CMAKE_SOURCE_DIR}/data ${packed} ${pack_inputs}
  DEPENDS headroom_pack ${pack_inputs}
  COMMENT "Packing the catalogue"
  VERBATIM)
add_custom_target(headroom_packed DEPENDS ${packed})

set(embed ${CMAKE_BINARY_DIR}/generated/embed.S)
file(WRITE ${embed}.new "
  .section .rodata
  .global headroom_pack_begin
  .global headroom_pack_end
  .balign 16
headroom_pack_begin:
  .incbin \"${packed}\"
headroom_pack_end:
  .byte 0
  .section .note.GNU-stack,\"\",%progbits
")
file(COPY_FILE ${embed}.new ${embed} ONLY_IF_DIFFERENT)
set_source_files_properties(${embed} PROPERTIES OBJECT_DEPENDS ${packed})
target_sources(headroom_catalog PRIVATE ${embed})
add_dependencies(headroom_catalog headroom_packed)

# The packed entries are decoded on first use and their mistakes ignored there, so the build reads
# all of them once and stops with file:line:column (tools/pack/check.cpp).
add_executable(headroom_check_catalog ${CMAKE_SOURCE_DIR}/tools/pack/check.cpp)
target_link_libraries(headroom_check_catalog PRIVATE headroom_catalog)
set(checked ${CMAKE_BINARY_DIR}/generated/catalog.checked)
add_custom_command(
  OUTPUT ${checked}
  COMMAND headroom_check_catalog ${CMAKE_SOURCE_DIR}/data/catalog
  COMMAND ${CMAKE_COMMAND} -E touch ${checked}
  DEPENDS headroom_check_catalog ${catalog_files}
  COMMENT "Checking the catalogue"
  VERBATIM)
add_custom_target(headroom_checked ALL DEPENDS ${checked})
