# Writes the file LICENSE as a C++ string: cmake -DFILE=… -DOUT=… -P this
file(READ ${FILE} text)
file(WRITE ${OUT} "static const char moireLicense[] = R\"license(${text})license\";\n")
