// The places in names of tensors where the number of a layer or of an expert belongs.

#include "frontends/native/Parser.h"
#include "frontends/native/Value.h"

#include <algorithm>

using namespace moire;

/// The first "{word}" in `tensor` that is the place of no number, or an empty string.
static std::string unknownPlace(const WeightEntry &entry, const std::string &tensor) {
  for (size_t at = 0; (at = tensor.find('{', at)) != std::string::npos; ++at) {
    size_t end = tensor.find('}', at);
    std::string place = tensor.substr(at, end == std::string::npos ? end : end - at + 1);
    bool isLayer = entry.index.empty() ? place == "{i}" : place == "{" + entry.index + "}";
    if (!isLayer && place != "{e}")
      return place;
  }
  return "";
}

void moire::checkPlaces(const WeightEntry &entry, const WeightSource &source, size_t dimensions,
                        Diagnostics &diagnostics) {
  auto times = [&](const std::string &place) {
    int64_t count = 0;
    for (size_t at = 0; (at = source.tensor.find(place, at)) != std::string::npos; ++at)
      ++count;
    return count;
  };
  auto braces = std::count(source.tensor.begin(), source.tensor.end(), '{');
  int64_t experts = entry.index == "e" ? 0 : times("{e}");
  if (std::string other = unknownPlace(entry, source.tensor); !other.empty()) {
    diagnostics.error(
        source.at,
        quote(other) + " stands for nothing; " +
            (entry.index.empty() ? "" : "\"{" + entry.index + "}\" is the layer's number, ") +
            "\"{e}\" is an expert's");
    return;
  }
  if (experts && dimensions < 3)
    diagnostics.error(source.at, "\"{e}\" is the number of an expert; `" + entry.name +
                                     "` then has three dimensions, [experts, rows, columns]");
  else if (experts > 1)
    diagnostics.error(source.at, "only one \"{e}\" may stand in a name");
  if (entry.index.empty()) {
    if (braces != experts)
      diagnostics.error(source.at, "`" + entry.name +
                                       "` is one tensor for the whole model; write `" + entry.name +
                                       "[i]` for one a layer");
    return;
  }
  std::string place = "{" + entry.index + "}";
  if (!times(place))
    diagnostics.error(source.at, "`" + entry.name + "` is one tensor a layer; \"" + place +
                                     "\" must stand where the number belongs");
  else if (braces != experts + 1)
    diagnostics.error(source.at, "only one \"" + place + "\" may stand in a name");
}
