# Reads src/LAYERS and makes one static library and one gtest program a layer.
file(STRINGS ${CMAKE_SOURCE_DIR}/src/LAYERS layer_lines REGEX "^[a-z]+:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/LAYERS)

if(HEADROOM_TESTS)
  find_package(GTest REQUIRED)
  find_library(RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
  find_path(RAPIDCHECK_INCLUDE rapidcheck.h REQUIRED)
endif()

set(HEADROOM_LAYERS "")
foreach(line IN LISTS layer_lines)
  string(REGEX MATCH "^[a-z]+" layer "${line}")
  string(REGEX REPLACE "^[a-z]+:" "" uses "${line}")
  string(STRIP "${uses}" uses)
  separate_arguments(uses)

  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${layer}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  set(target headroom_${layer})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(link PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(link INTERFACE)
  endif()
  foreach(used IN LISTS uses)
    target_link_libraries(${target} ${link} headroom_${used})
  endforeach()
  list(APPEND HEADROOM_LAYERS ${layer})

  if(HEADROOM_TESTS AND tests)
    add_executable(${layer}_test EXCLUDE_FROM_ALL ${tests})
    target_include_directories(${layer}_test SYSTEM PRIVATE ${RAPIDCHECK_INCLUDE})
    target_link_libraries(${layer}_test PRIVATE ${target} GTest::gtest_main ${RAPIDCHECK_LIBRARY}
                                                nlohmann_json::nlohmann_json)
    # Only the files that read the tree (all of a layer whose fixtures do): a path on every command
    # line would make every checkout compile anew.
    file(GLOB fixtures CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${layer}/*.hpp)
    set(reading ${tests})
    foreach(test IN LISTS tests fixtures)
      file(STRINGS ${test} reads_tree REGEX "HEADROOM_SOURCE_DIR" LIMIT_COUNT 1)
      if(reads_tree AND test MATCHES "\\.hpp$")
        set(reading ${tests})
        break()
      elseif(NOT reads_tree)
        list(REMOVE_ITEM reading ${test})
      endif()
    endforeach()
    set_source_files_properties(${reading} PROPERTIES
                                COMPILE_DEFINITIONS HEADROOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    # Tests are half of what a cold build compiles, and run once: -O1 takes a quarter less for them.
    # gcc 12 sees writes out of bounds in std::string at -O1 that there are not.
    target_compile_options(${layer}_test PRIVATE $<$<CONFIG:Release>:-O1> -Wno-array-bounds
                                                 -Wno-stringop-overflow -Wno-maybe-uninitialized)
    set_property(GLOBAL APPEND PROPERTY HEADROOM_TEST_PROGRAMS ${layer}_test)
  endif()
endforeach()

# Third-party libraries stay behind the layers that use them.
target_link_libraries(headroom_base PUBLIC fmt::fmt)
target_link_libraries(headroom_spec PRIVATE yaml-cpp nlohmann_json::nlohmann_json)
foreach(layer workload train requests validation report api)
  get_target_property(kind headroom_${layer} TYPE)
  if(kind STREQUAL STATIC_LIBRARY)
    target_link_libraries(headroom_${layer} PRIVATE nlohmann_json::nlohmann_json)
  endif()
endforeach()
target_link_libraries(headroom_catalog PUBLIC Threads::Threads)
target_link_libraries(headroom_requests PRIVATE ZLIB::ZLIB)
target_compile_definitions(headroom_api PRIVATE HEADROOM_VERSION="${PROJECT_VERSION}")
# The linear program of src/supply is solved by COIN-OR CLP; its headers stay in supply/lp.cpp.
find_path(CLP_INCLUDE coin/ClpSimplex.hpp REQUIRED)
find_library(CLP_LIBRARY Clp REQUIRED)
find_library(COINUTILS_LIBRARY CoinUtils REQUIRED)
target_include_directories(headroom_supply SYSTEM PRIVATE ${CLP_INCLUDE}/coin)
target_link_libraries(headroom_supply PRIVATE ${CLP_LIBRARY} ${COINUTILS_LIBRARY})
# Workbooks of src/report are written by libxlsxwriter; its header stays in report/workbook.cpp.
find_path(XLSXWRITER_INCLUDE xlsxwriter.h REQUIRED)
find_library(XLSXWRITER_LIBRARY xlsxwriter REQUIRED)
target_include_directories(headroom_report SYSTEM PRIVATE ${XLSXWRITER_INCLUDE})
target_link_libraries(headroom_report PRIVATE ${XLSXWRITER_LIBRARY})
target_link_libraries(headroom_api PRIVATE ${CMAKE_DL_LIBS})  # OpenSSL, for https URLs alone

# A second answer for the year in the time domain; without SUNDIALS its test says so and skips.
if(HEADROOM_TESTS)
  find_path(SUNDIALS_INCLUDE cvode/cvode.h)
  find_library(SUNDIALS_CVODE sundials_cvode)
  find_library(SUNDIALS_NVECTOR sundials_nvecserial)
  find_library(SUNDIALS_MATRIX sundials_sunmatrixdense)
  find_library(SUNDIALS_SOLVER sundials_sunlinsoldense)
  if(SUNDIALS_INCLUDE AND SUNDIALS_CVODE AND SUNDIALS_NVECTOR AND SUNDIALS_MATRIX AND SUNDIALS_SOLVER)
    target_include_directories(cooling_test SYSTEM PRIVATE ${SUNDIALS_INCLUDE})
    target_compile_definitions(cooling_test PRIVATE HEADROOM_SUNDIALS=1)
    target_link_libraries(cooling_test PRIVATE ${SUNDIALS_CVODE} ${SUNDIALS_NVECTOR}
                                               ${SUNDIALS_MATRIX} ${SUNDIALS_SOLVER})
  endif()
endif()

# cpp-httplib carries the server and the tests that need one. Debian's library is built with the
# switches that its .pc names, and its classes differ with them.
find_path(HTTPLIB_INCLUDE httplib.h REQUIRED)
find_library(HTTPLIB_LIBRARY cpp-httplib REQUIRED)
get_filename_component(httplib_folder ${HTTPLIB_LIBRARY} DIRECTORY)
set(httplib_switches "")
if(EXISTS ${httplib_folder}/pkgconfig/cpp-httplib.pc)
  file(STRINGS ${httplib_folder}/pkgconfig/cpp-httplib.pc httplib_flags REGEX "^Cflags:")
  string(REGEX MATCHALL "-D[A-Z_]+" httplib_switches "${httplib_flags}")
endif()
set_source_files_properties(
  ${CMAKE_SOURCE_DIR}/src/server/wire.cpp ${CMAKE_SOURCE_DIR}/src/server/connection.cpp
  ${CMAKE_SOURCE_DIR}/src/server/server_test.cpp ${CMAKE_SOURCE_DIR}/src/api/load_test.cpp
  ${CMAKE_SOURCE_DIR}/src/api/tls_test.cpp PROPERTIES COMPILE_OPTIONS "${httplib_switches}")
target_include_directories(headroom_server SYSTEM PRIVATE ${HTTPLIB_INCLUDE})
target_link_libraries(headroom_server PRIVATE nlohmann_json::nlohmann_json ${HTTPLIB_LIBRARY}
                                              Threads::Threads)
if(HEADROOM_TESTS)
  find_library(CRYPTO_LIBRARY crypto REQUIRED)
  target_include_directories(api_test SYSTEM PRIVATE ${HTTPLIB_INCLUDE})
  target_link_libraries(api_test PRIVATE ${HTTPLIB_LIBRARY} ${CRYPTO_LIBRARY} Threads::Threads)
endif()
