// Reads the text of a model description.

#ifndef MOIRE_FRONTENDS_NATIVE_PARSER_H
#define MOIRE_FRONTENDS_NATIVE_PARSER_H

#include "frontends/native/Ast.h"

namespace moire {

/// Larger files are no descriptions: the built-in ones have 5 KB.
constexpr size_t maxDescriptionBytes = 64 << 10;

/// Parses and checks `text`: syntax, names, words of the vocabulary and their arguments. `path` is
/// for messages. On failure returns null, with all errors in `error`.
std::unique_ptr<Description> parseDescription(std::string path, std::string text, ReadError &error);

/// Reads the file `path` and parses it.
std::unique_ptr<Description> readDescription(const std::string &path, ReadError &error);

/// The grammar alone (Parser.cpp) and what the grammar cannot say (Check.cpp); both report.
void parseText(Description &description, Diagnostics &diagnostics);
void checkNames(const Description &description, Diagnostics &diagnostics);

/// The number of the layer has one place in the name of a tensor that is one a layer, the number of
/// the expert in one that is one an expert; others have none. `dimensions` is how many the weight
/// has, 0 if no line says.
void checkPlaces(const WeightEntry &entry, const WeightSource &source, size_t dimensions,
                 Diagnostics &diagnostics);

} // namespace moire

#endif
