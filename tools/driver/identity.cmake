# Writes the version and the commit into a header, and touches it only when they changed:
# cmake -DROOT=… -DVERSION=… -DOUT=… -P this
set(ENV{GIT_OPTIONAL_LOCKS} 0) # whoever builds may commit at the same time
execute_process(COMMAND git -C ${ROOT} describe --always --dirty --tags
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit "no commit known")
endif()
set(text "#define MOIRE_VERSION \"${VERSION}\"\n#define MOIRE_COMMIT \"${commit}\"\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
