// The metadata section: what the compiler wrote down about the model, as a JSON object.
//
//   {"name": "…", "architecture": "llama", "source": "…", "parameters": 134515008, "type": "q4_1",
//    "activations": "int8", "weights": {"q4_1": 66355200, …}, "kv_type": "f16",
//    "work": [… as runtime/Work.h says …], "route": [0, 4, 4],
//    "eos": [2], "bos": null, "chat": "chatml", "system": "…", "compiler": "…", "options": "…"}
//
// and, compiled with --profile, what lies between its time stamps (runtime/ProfiledRegion.h):
//
//   "profile": [{"name": "contract q_k_v", "in": "layer_0.one", "arithmetic": "int8",
//                "bytes": 345600, "row_products": 552960},
//               {"name": "barrier", "in": "layer_0.one", "wait": true}, …]
//
// Every key may be missing; keys that are not listed are ignored.

#ifndef MOIRE_RUNTIME_METADATA_H
#define MOIRE_RUNTIME_METADATA_H

#include "runtime/ProfiledRegion.h"
#include "runtime/Work.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moire {

enum class ChatForm : uint8_t { None, ChatMl };

struct Metadata {
  std::string name, architecture, source, activations, kvType, compiler, options;
  std::string type; // the storage type of most parameters
  int64_t parameters = 0;
  std::vector<std::pair<std::string, int64_t>> weights; // bytes per storage type
  Work work;                  // of a step; empty when the compiler did not say
  std::vector<int64_t> route; // experts of a token in each layer, 0 without a router; empty when
                              // the program does not hand them out
  std::vector<int32_t> eos;   // ids that end an answer
  int32_t bos = -1;           // id that starts a text, or -1
  ChatForm chat = ChatForm::None;
  std::vector<ProfiledRegion> profile; // by the numbers of moire_stamp.region
  std::string system; // the system message of a conversation that has none of its own
};

/// Reads a metadata section; an empty one gives the defaults. On failure returns false; `error`
/// says which key is wrong, or where the JSON is.
bool parseMetadata(std::string_view section, Metadata &metadata, std::string &error);

} // namespace moire

#endif
