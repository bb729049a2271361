# Compiler, linker and LLVM: what every target of the project is built with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# A translation unit that uses MLIR is all headers: full debug information doubles its time.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

option(MOIRE_SANITIZE "Build our own objects with ASan and UBSan" OFF)

# Only the MLIR package pins the exact LLVM; find_package(LLVM) by itself takes any version it meets.
set(MOIRE_LLVM_ROOT /usr/lib/llvm-22 CACHE PATH "Prefix of LLVM and MLIR 22")
find_package(MLIR 22.1 REQUIRED CONFIG PATHS ${MOIRE_LLVM_ROOT}/lib/cmake/mlir NO_DEFAULT_PATH)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR}) # where mlir-doc writes
include(TableGen)
include(AddLLVM)
include(AddMLIR)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${LLVM_DEFINITIONS_LIST})
add_compile_options(-fno-exceptions -fno-rtti -fPIC -ffunction-sections -fdata-sections
                    -Wall -Wextra -Wno-unused-parameter)
add_link_options(-fuse-ld=lld -Wl,--gc-sections)
if(MOIRE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS)
  # MLIR is built with RTTI off in our objects: the vptr check would need it.
  add_compile_options(-fno-sanitize=vptr)
  # What the fuzzers steer by. In other programs ASan's runtime takes the calls.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=address,undefined)
endif()
