// What the program says about itself: --info, --verify, --licenses, --version.

#include "runtime/Abi.h"
#include "runtime/Checksum.h"
#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/cpu/Features.h"
#include "runtime/main/Console.h"
#include "runtime/main/Modes.h"

namespace moire {

namespace {
std::vector<moire_section_info> allSections(const Program &program) {
  std::vector<moire_section_info> sections;
  moire_section_info section;
  for (int64_t i = 0; moire_get_section(program.model, i, &section) == MOIRE_OK; ++i)
    sections.push_back(section);
  return sections;
}

void printInfoJson(const Program &program) {
  const Metadata &metadata = program.metadata;
  const moire_info &info = program.info;
  JsonWriter json;
  json.beginObject().key("name").string(metadata.name);
  json.key("architecture").string(metadata.architecture).key("source").string(metadata.source);
  json.key("parameters").integer(metadata.parameters).key("type").string(metadata.type);
  json.key("activations").string(metadata.activations).key("kv_type").string(metadata.kvType);
  json.key("vocab").integer(info.vocab).key("hidden").integer(info.hidden);
  json.key("layers").integer(info.layers).key("context").integer(info.context);
  json.key("kv_bytes_per_token").integer(info.kv_bytes_per_token);
  json.key("kv_page_positions").integer(info.kv_page_positions);
  json.key("tapped").boolean(info.tapped).key("route").beginArray();
  for (int64_t experts : metadata.route)
    json.integer(experts);
  json.endArray();
  json.key("weight_bytes").integer(info.weight_bytes).key("weights").beginObject();
  for (const auto &[type, bytes] : metadata.weights)
    json.key(type).integer(bytes);
  json.endObject().key("cpu").string(describeCpuFeatures(moire_this_program.cpu_features));
  json.key("sections").beginArray();
  for (const moire_section_info &section : allSections(program)) {
    json.beginObject().key("name").string(section.name);
    json.key("offset").integer(section.offset).key("bytes").integer(section.bytes);
    json.key("checksum")
        .string(format("%016llx", static_cast<unsigned long long>(section.checksum)))
        .endObject();
  }
  json.endArray().key("compiler").string(metadata.compiler);
  json.key("options").string(metadata.options).endObject();
  print(json.text + "\n");
}

void printInfoText(const Program &program) {
  const Metadata &metadata = program.metadata;
  const moire_info &info = program.info;
  auto line = [](const char *what, const std::string &value) {
    if (!value.empty())
      print(format("%-13s %s\n", what, value.c_str()));
  };
  line("model", metadata.name);
  line("architecture", metadata.architecture);
  line("source", metadata.source);
  line("shape", format("%lld layers, hidden %lld, vocabulary %lld, context %lld",
                       static_cast<long long>(info.layers), static_cast<long long>(info.hidden),
                       static_cast<long long>(info.vocab), static_cast<long long>(info.context)));
  if (metadata.parameters)
    line("parameters", format("%.1f million", static_cast<double>(metadata.parameters) / 1e6));
  std::string weights = formatBytes(info.weight_bytes);
  int64_t stored = 0;
  for (const auto &[type, bytes] : metadata.weights) {
    weights += format(", %s %s", type.c_str(), formatBytes(bytes).c_str());
    stored += bytes;
  }
  if (metadata.parameters)
    weights += format(" (%.2f bits each)",
                      8 * static_cast<double>(stored) / static_cast<double>(metadata.parameters));
  line("weights", weights);
  line("activations", metadata.activations);
  if (info.kv_page_positions)
    line("KV cache",
         format("%s a token%s%s, pages of %lld tokens",
                formatBytes(info.kv_bytes_per_token).c_str(), metadata.kvType.empty() ? "" : " in ",
                metadata.kvType.c_str(), static_cast<long long>(info.kv_page_positions)));
  line("processor", describeCpuFeatures(moire_this_program.cpu_features));
  line("compiler", metadata.compiler);
  line("options", metadata.options);
  for (const moire_section_info &section : allSections(program))
    line("section", format("%-10s %12llu bytes at %-12llu XXH3 %016llx", section.name,
                           static_cast<unsigned long long>(section.bytes),
                           static_cast<unsigned long long>(section.offset),
                           static_cast<unsigned long long>(section.checksum)));
}
} // namespace

int runInfo(Program &program) {
  (program.options.json ? printInfoJson : printInfoText)(program);
  return finishOutput();
}

int runVerify(Program &program) {
  bool damaged = false;
  JsonWriter json;
  json.beginArray();
  for (const moire_section_info &section : allSections(program)) {
    Progress progress(section.name, section.bytes);
    uint64_t found =
        checksum({section.data, section.bytes}, [&](uint64_t done) { progress.show(done); });
    bool right = found == section.checksum;
    damaged |= !right;
    if (program.options.json)
      json.beginObject().key("name").string(section.name).key("ok").boolean(right).endObject();
    else
      print(format("%-10s %10s  %s\n", section.name, formatBytes(section.bytes).c_str(),
                   right ? "ok" : "DAMAGED"));
  }
  if (program.options.json)
    print(json.endArray().text + "\n");
  if (int code = finishOutput())
    return code;
  return damaged ? complain(kBadInput, "the program is damaged: copy it anew, or compile the model "
                                       "again")
                 : static_cast<int>(kDone);
}

int runLicenses(Program &program) {
  std::span<const uint8_t> text = program.section("licenses");
  if (text.empty())
    return complain(kFailed, "the program carries no licence texts");
  print({reinterpret_cast<const char *>(text.data()), text.size()});
  return finishOutput();
}

int runVersion(Program &program) {
  print(format("%s, compiled by %s (host interface %d)\n",
               program.metadata.name.empty() ? "a model" : program.metadata.name.c_str(),
               program.metadata.compiler.empty() ? "moire" : program.metadata.compiler.c_str(),
               moire_host_version()));
  return finishOutput();
}

} // namespace moire
