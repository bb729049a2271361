#include "test/e2e/CompiledModel.h"

#include <cstdio>

#include <dlfcn.h>

namespace moire::test {

std::string outputOf(const std::string &command, std::string &error) {
  FILE *pipe = popen(command.c_str(), "r");
  if (!pipe) {
    error = command + ": cannot be run";
    return "";
  }
  std::string output;
  char buffer[65536];
  while (size_t count = fread(buffer, 1, sizeof buffer, pipe))
    output.append(buffer, count);
  if (int status = pclose(pipe)) {
    error = command + ": ended with status " + std::to_string(status);
    return "";
  }
  return output;
}

CompiledModel::CompiledModel(const std::string &path, const std::string &options,
                             const std::string &folder, const std::string &name)
    : executable(folder + "/" + name) {
  const std::string compile = MOIRE " compile --quiet '" + path + "' " + options + " -o ";
  const std::string object = executable + ".o";
  for (const std::string &command : {compile + executable, compile + object + " --emit=obj"}) {
    outputOf(command, message);
    if (!message.empty())
      return;
  }
  open(object);
}

CompiledModel::CompiledModel(const std::string &program, const std::string &object)
    : executable(program) {
  open(object);
}

void CompiledModel::open(const std::string &object) {
  const std::string shared = object + ".so";
  outputOf(MOIRE_LLD " -shared -o " + shared + " " + object, message);
  if (!message.empty())
    return;
  library = dlopen(shared.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto *generated =
      library ? static_cast<const moire_program *>(dlsym(library, "moire_program")) : nullptr;
  if (!generated) {
    message = dlerror();
    return;
  }
  char reason[512] = "";
  if (moire_open(MOIRE_HOST_VERSION, generated, executable.c_str(), &opened, reason,
                 sizeof reason) != MOIRE_OK ||
      moire_get_info(opened, &about) != MOIRE_OK)
    message = reason;
}

CompiledModel::~CompiledModel() {
  moire_close(opened);
  if (library)
    dlclose(library);
}

moire_state *CompiledModel::createState(int32_t slots, int32_t threads, int64_t context,
                                        int64_t maxTokens) {
  moire_state_options options = {};
  options.slots = slots;
  options.threads = threads;
  options.context = context;
  options.max_tokens = maxTokens;
  moire_state *state = nullptr;
  char reason[512] = "";
  if (moire_state_create(opened, &options, &state, reason, sizeof reason) != MOIRE_OK)
    message = reason;
  return state;
}

} // namespace moire::test
