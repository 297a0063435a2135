# data/validation/facility.yaml inside the library, for `headroom validate facility`.
set(targets_file ${CMAKE_SOURCE_DIR}/data/validation/facility.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${targets_file})
file(READ ${targets_file} text)
# A string literal may be 64 KiB long: pieces of 8 KiB, joined by the compiler.
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8192 piece)
  string(APPEND pieces "    R\"__yaml(${piece})__yaml\"\n")
  math(EXPR at "${at} + 8192")
endwhile()
set(generated ${CMAKE_BINARY_DIR}/generated/facility_targets.cpp)
file(WRITE ${generated}.new "// Written by cmake/Targets.cmake from data/validation/facility.yaml.
#include \"validation/facility.hpp\"

namespace headroom::validation {
std::string_view facility_targets() {
  return
${pieces}      ;
}
}  // namespace headroom::validation
")
file(COPY_FILE ${generated}.new ${generated} ONLY_IF_DIFFERENT)
target_sources(headroom_validation PRIVATE ${generated})
