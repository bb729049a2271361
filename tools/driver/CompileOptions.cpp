#include "tools/driver/CompileOptions.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

namespace moire::driver {

std::string CompileOptions::spelled() const {
  CompileOptions defaults;
  std::string text;
  auto add = [&](const std::string &option) { text += (text.empty() ? "" : " ") + option; };
  if (activations != defaults.activations)
    add("--activations=" + activations);
  if (!kv.empty())
    add("--kv=" + kv);
  if (kv_page)
    add("--kv-page=" + std::to_string(kv_page));
  if (keep_hidden)
    add("--keep=hidden");
  if (!description.empty())
    add("--model-description=" + llvm::sys::path::filename(description).str());
  if (cpu != defaults.cpu)
    add("--cpu=" + cpu);
  if (opt_level != defaults.opt_level)
    add("-O" + std::to_string(opt_level));
  return text;
}

static std::string setKeep(CompileOptions &place, llvm::StringRef list) {
  llvm::SmallVector<llvm::StringRef> words;
  list.split(words, ',');
  for (llvm::StringRef word : words) {
    if (word == "hidden")
      place.keep_hidden = true;
    else if (word != "route") // which experts a token had; models without a router have none
      return "'" + word.str() + "' is none of hidden, route" +
             nearestHint(word, {"hidden", "route"});
  }
  return "";
}

static std::string setKvPage(CompileOptions &place, llvm::StringRef value) {
  constexpr int64_t most = 4096;
  if (value.getAsInteger(10, place.kv_page) || place.kv_page < 16 || place.kv_page > most ||
      place.kv_page % 16)
    return "'" + value.str() + "' is not a multiple of 16 in 16 .. " + std::to_string(most);
  return "";
}

std::vector<Option> compileOptions(CompileOptions &place) {
  std::vector<Option> options = {
      choice("--activations", place.activations, {"int8", "f32"}),
      choice("--kv", place.kv, {"f16", "f32"}),
      {"--kv-page", true, [&](llvm::StringRef value) { return setKvPage(place, value); }},
      {"--keep", true, [&](llvm::StringRef value) { return setKeep(place, value); }},
      text("--model-description", place.description),
      text("--cpu", place.cpu),
      flag("--quiet", place.quiet),
  };
  static const llvm::StringRef levels[] = {"-O0", "-O1", "-O2", "-O3"};
  for (auto [level, name] : llvm::enumerate(levels))
    options.push_back({name, false, [&place, level = int64_t(level)](llvm::StringRef) {
                         place.opt_level = level;
                         return std::string();
                       }});
  return options;
}

const char compileOptionsHelp[] =
    R"(  --activations=int8|f32    format of the rows that are multiplied with block weights (int8)
  --kv=f16|f32              format of keys and values (f16; f32 with --activations=f32)
  --kv-page=N               positions in a page of keys and values
  --keep=hidden,route       the program can hand these out with --logits
  --model-description FILE  describes an architecture that Moire does not know
  --cpu=NAME                native (this machine), x86-64-v3, x86-64-v4, znver4, ...
  -O0 -O1 -O2 -O3           effort of the code generator (-O3)
)";

} // namespace moire::driver
