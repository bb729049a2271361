#include "tools/driver/Arguments.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

namespace moire::driver {

Option flag(llvm::StringRef name, bool &place) {
  return {name, false, [&place](llvm::StringRef) {
            place = true;
            return std::string();
          }};
}

Option text(llvm::StringRef name, std::string &place) {
  return {name, true, [&place](llvm::StringRef value) {
            place = value.str();
            return value.empty() ? std::string("needs a value") : std::string();
          }};
}

Option choice(llvm::StringRef name, std::string &place, std::vector<llvm::StringRef> words) {
  return {name, true, [&place, words](llvm::StringRef value) {
            place = value.str();
            if (llvm::is_contained(words, value))
              return std::string();
            return "'" + value.str() + "' is none of " + llvm::join(words, ", ") +
                   nearestHint(value, words);
          }};
}

Option number(llvm::StringRef name, int64_t &place, int64_t least, int64_t most) {
  return {name, true, [&place, least, most](llvm::StringRef value) {
            if (!value.getAsInteger(10, place) && place >= least && place <= most)
              return std::string();
            return "'" + value.str() + "' is not a whole number in " + std::to_string(least) +
                   " .. " + std::to_string(most);
          }};
}

std::string nearestHint(llvm::StringRef given, llvm::ArrayRef<llvm::StringRef> names) {
  // Two typing errors, but never half of what was typed.
  unsigned allowed = std::min<unsigned>(2, given.size() / 2);
  llvm::StringRef nearest;
  for (llvm::StringRef name : names) {
    unsigned distance = given.edit_distance(name, /*AllowReplacements=*/true, allowed);
    if (distance <= allowed && (nearest.empty() || distance < allowed)) {
      nearest = name;
      allowed = distance;
    }
  }
  return nearest.empty() ? "" : ", did you mean '" + nearest.str() + "'?";
}

std::optional<Arguments> parseArguments(llvm::ArrayRef<llvm::StringRef> arguments,
                                        llvm::ArrayRef<Option> options, std::string &error) {
  Arguments result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    llvm::StringRef argument = arguments[i];
    if (argument == "--") {
      for (llvm::StringRef after : arguments.drop_front(i + 1))
        result.rest.push_back(after.str());
      break;
    }
    if (argument == "--help" || argument == "-h") {
      result.help = true;
      return result;
    }
    if (!argument.starts_with("-") || argument == "-") {
      result.positional.push_back(argument.str());
      continue;
    }
    bool attached = argument.starts_with("--") && argument.contains('=');
    auto [name, value] = attached ? argument.split('=') : std::pair(argument, llvm::StringRef());
    const Option *option =
        llvm::find_if(options, [&](const Option &option) { return option.name == name; });
    if (option == options.end()) {
      llvm::SmallVector<llvm::StringRef> names;
      for (const Option &option : options)
        names.push_back(option.name);
      error = "there is no option " + name.str() + nearestHint(name, names);
      return std::nullopt;
    }
    if (option->takesValue && !attached) {
      if (i + 1 == arguments.size()) {
        error = name.str() + ": needs a value";
        return std::nullopt;
      }
      value = arguments[++i];
    }
    if (!option->takesValue && attached) {
      error = name.str() + ": takes no value";
      return std::nullopt;
    }
    if (std::string why = option->set(value); !why.empty()) {
      error = name.str() + ": " + why;
      return std::nullopt;
    }
  }
  return result;
}

} // namespace moire::driver
