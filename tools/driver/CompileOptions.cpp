#include "tools/driver/CompileOptions.h"

#include "passes/quantization/WeightRules.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

namespace moire::driver {

std::string CompileOptions::spelled() const {
  CompileOptions defaults;
  std::string text;
  auto add = [&](const std::string &option) { text += (text.empty() ? "" : " ") + option; };
  if (!quant.empty())
    add("--quant=" + quant);
  if (activations != defaults.activations)
    add("--activations=" + activations);
  if (!kv.empty())
    add("--kv=" + kv);
  if (kv_page)
    add("--kv-page=" + std::to_string(kv_page));
  if (keep_hidden || keep_route)
    add(keep_hidden && keep_route ? "--keep=hidden,route"
        : keep_hidden             ? "--keep=hidden"
                                  : "--keep=route");
  if (profile)
    add("--profile");
  if (!description.empty())
    add("--model-description=" + llvm::sys::path::filename(description).str());
  if (cpu != defaults.cpu)
    add("--cpu=" + cpu);
  if (opt_level != defaults.opt_level)
    add("-O" + std::to_string(opt_level));
  if (!synthetic.empty())
    add("--synthetic=" + synthetic);
  if (!synthetic_type.empty())
    add("--synthetic-type=" + synthetic_type);
  if (zipf != 0)
    add("--routing=" + routing);
  return text;
}

static std::string setQuant(CompileOptions &place, llvm::StringRef rules) {
  std::string error;
  if (!mlir::moe::WeightRules::parse(rules, error))
    return error;
  place.quant = rules.str();
  return "";
}

static std::string setKeep(CompileOptions &place, llvm::StringRef list) {
  llvm::SmallVector<llvm::StringRef> words;
  list.split(words, ',');
  for (llvm::StringRef word : words) {
    if (word == "hidden")
      place.keep_hidden = true;
    else if (word == "route") // nothing more, for a model without a router
      place.keep_route = true;
    else
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

static std::string setSynthetic(CompileOptions &place, llvm::StringRef value) {
  uint64_t seed;
  if (value.getAsInteger(10, seed))
    return "'" + value.str() + "' is not a whole number, 0 or more";
  place.synthetic = value.str();
  return "";
}

static std::string setRouting(CompileOptions &place, llvm::StringRef value) {
  constexpr double most = 4;
  place.zipf = 0;
  llvm::StringRef exponent = value;
  if (value == "uniform" || (exponent.consume_front("zipf:") && !exponent.getAsDouble(place.zipf) &&
                             place.zipf >= 0 && place.zipf <= most)) {
    place.routing = value.str();
    return "";
  }
  return llvm::formatv("'{0}' is neither uniform nor zipf:S with an exponent S in 0 .. {1}", value,
                       most)
      .str();
}

std::vector<Option> compileOptions(CompileOptions &place) {
  std::vector<Option> options = {
      {"--quant", true, [&](llvm::StringRef value) { return setQuant(place, value); }},
      choice("--activations", place.activations, {"int8", "bf16", "f32"}),
      choice("--kv", place.kv, {"f32", "f16", "bf16", "int8"}),
      {"--kv-page", true, [&](llvm::StringRef value) { return setKvPage(place, value); }},
      {"--keep", true, [&](llvm::StringRef value) { return setKeep(place, value); }},
      flag("--profile", place.profile),
      text("--model-description", place.description),
      text("--cpu", place.cpu),
      {"--synthetic", true, [&](llvm::StringRef value) { return setSynthetic(place, value); }},
      choice("--synthetic-type", place.synthetic_type,
             {"f32", "f16", "bf16", "q4_0", "q4_1", "q8_0"}),
      {"--routing", true, [&](llvm::StringRef value) { return setRouting(place, value); }},
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
    R"(  --quant=RULES             rounds weights: int4, uint4, int8 (:g32 to :g256, :bf16), keep; also
                            by kind or name: int4:g128,head=keep,experts=int4:g64,*down*=int8
  --activations=FORMAT      rounds rows: int8 (for block weights), bf16 (bf16 weights, too) or f32
  --kv=f32|f16|bf16|int8    format of keys and values (f16; f32 with --activations=f32)
  --kv-page=N               positions in a page of keys and values
  --keep=hidden,route       the program can hand these out with --logits
  --profile                 the program says where its time goes, region by region
  --model-description FILE  describes an architecture that Moire does not know
  --cpu=NAME                native (this machine), x86-64-v3, x86-64-v4, znver4, ...
  --synthetic=SEED          weights for a config.json without any, made from a seed
  --synthetic-type=TYPE     f32, f16, bf16, q4_0, q4_1, q8_0 (torch_dtype)
  --routing=uniform|zipf:S  how often such a model chooses each expert (uniform)
  -O0 -O1 -O2 -O3           effort of the code generator (-O3)
)";

} // namespace moire::driver
