# The web page (web/dist/index.html, built from web/ by `make web` and committed) inside the library:
# `headroom ui` serves it, `headroom report` writes it with the data inside.
set(page ${CMAKE_SOURCE_DIR}/web/dist/index.html)
set(embed_page ${CMAKE_BINARY_DIR}/generated/page.S)
file(WRITE ${embed_page}.new "
  .section .rodata
  .global headroom_page_begin
  .global headroom_page_end
headroom_page_begin:
  .incbin \"${page}\"
headroom_page_end:
  .byte 0
  .section .note.GNU-stack,\"\",%progbits
")
file(COPY_FILE ${embed_page}.new ${embed_page} ONLY_IF_DIFFERENT)
set_source_files_properties(${embed_page} PROPERTIES OBJECT_DEPENDS ${page})
target_sources(headroom_report PRIVATE ${embed_page})
