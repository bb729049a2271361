# Writes the files of frontends/models/ into a C++ source: cmake -DOUT=… -DFILES=a;b -P this
set(entries "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  string(APPEND entries "      {\"frontends/models/${name}\", R\"moire(${text})moire\"},\n")
endforeach()
file(WRITE ${OUT} "// Made from frontends/models/ by embed_descriptions.cmake.
#include \"frontends/native/Library.h\"

const std::vector<moire::BuiltInDescription> &moire::builtInDescriptions() {
  static const std::vector<BuiltInDescription> descriptions = {
${entries}  };
  return descriptions;
}
")
