# The published scenarios inside the library, for `headroom init --template`.
file(GLOB scenario_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scenarios/*.yaml)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${scenario_files})
set(table "")
foreach(file IN LISTS scenario_files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND table "    {\"${name}\", R\"__yaml(${text})__yaml\"},\n")
endforeach()
set(generated ${CMAKE_BINARY_DIR}/generated/templates.cpp)
file(WRITE ${generated}.new "// Written by cmake/Scenarios.cmake from scenarios/*.yaml.
#include \"api/init.hpp\"

namespace headroom::api {
namespace {
constexpr Template table[] = {
${table}};
}
std::span<const Template> templates() { return table; }
}  // namespace headroom::api
")
file(COPY_FILE ${generated}.new ${generated} ONLY_IF_DIFFERENT)
target_sources(headroom_api PRIVATE ${generated})
