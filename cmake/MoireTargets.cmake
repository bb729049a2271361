# The few shapes that our targets have.

# moire_library(NAME SOURCES… [DEPENDS generated targets…] [LINK libraries…])
# A library without MLIR: readers, the runtime.
function(moire_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# moire_mlir_library(NAME SOURCES… [DEPENDS …] [LINK …])
# A library that uses MLIR: always through the two shared libraries of the distribution.
function(moire_mlir_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  moire_library(${name} ${ARG_UNPARSED_ARGUMENTS} DEPENDS ${ARG_DEPENDS} LINK ${ARG_LINK} MLIR LLVM)
endfunction()

# moire_tool(NAME SOURCES… [LINK …])
function(moire_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  # Plugins that name our ops find them in the tool itself.
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
endfunction()

# moire_test(NAME SOURCES… [LINK …]): a GoogleTest executable, registered under its name.
find_package(GTest REQUIRED)
enable_testing()
function(moire_test name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  set_property(GLOBAL APPEND PROPERTY MOIRE_UNIT_TESTS ${name})
endfunction()
