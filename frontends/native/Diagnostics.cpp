#include "frontends/native/Diagnostics.h"

#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

using namespace moire;

std::string_view SourceText::line(uint32_t number) const {
  std::string_view rest = text;
  for (uint32_t n = 1;; ++n) {
    size_t end = rest.find('\n');
    if (n == number) {
      std::string_view found = rest.substr(0, end);
      if (!found.empty() && found.back() == '\r')
        found.remove_suffix(1);
      return found;
    }
    if (end == std::string_view::npos)
      return {};
    rest.remove_prefix(end + 1);
  }
}

void Diagnostics::error(SourceRange at, std::string message) {
  add({at, ReadError::Kind::BadInput, std::move(message)});
}

void Diagnostics::unsupported(SourceRange at, std::string message) {
  add({at, ReadError::Kind::Unsupported, std::move(message)});
}

void Diagnostics::append(const Diagnostics &other) {
  for (const Entry &entry : other.entries)
    add(entry);
}

void Diagnostics::add(Entry entry) {
  // A line is evaluated once a layer: what is wrong with it is said once.
  for (const Entry &known : entries)
    if (known.at.line == entry.at.line && known.at.column == entry.at.column &&
        known.message == entry.message)
      return;
  entries.push_back(std::move(entry));
}

ReadError Diagnostics::report() const {
  constexpr size_t mostShown = 20;
  std::vector<const Entry *> sorted;
  for (const Entry &entry : entries)
    sorted.push_back(&entry);
  // All point into one array: pointers compare in the order of their making.
  std::sort(sorted.begin(), sorted.end(), [](const Entry *a, const Entry *b) {
    return std::tuple(a->at.line, a->at.column, a) < std::tuple(b->at.line, b->at.column, b);
  });

  ReadError result;
  result.kind = ReadError::Kind::Unsupported;
  for (const Entry *entry : sorted)
    if (entry->kind != ReadError::Kind::Unsupported)
      result.kind = entry->kind;
  for (size_t n = 0; n < sorted.size() && n < mostShown; ++n) {
    const Entry &entry = *sorted[n];
    std::string &out = result.message;
    if (n)
      out += '\n';
    out += source.path;
    if (entry.at.line)
      out += ':' + std::to_string(entry.at.line) + ':' + std::to_string(entry.at.column);
    out += entry.kind == ReadError::Kind::Unsupported ? ": unsupported: " : ": error: ";
    out += entry.message;
    std::string_view line = entry.at.line ? source.line(entry.at.line) : std::string_view();
    if (line.empty())
      continue;
    out += "\n  ";
    for (char c : line.substr(0, 200))
      out += c == '\t' || (c >= ' ' && c <= '~') ? c : '?';
    out += "\n  " + std::string(std::min<uint32_t>(entry.at.column - 1, 200), ' ') + '^';
    size_t end = std::min<size_t>(line.size(), 200);
    for (size_t column = entry.at.column;
         column < end && column < entry.at.column - 1 + entry.at.length; ++column)
      out += '~';
  }
  if (sorted.size() > mostShown)
    result.message +=
        '\n' + source.path + ": and " + std::to_string(sorted.size() - mostShown) + " more errors";
  return result;
}

std::string moire::quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text.substr(0, 120)) {
    if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    char escaped[8];
    snprintf(escaped, sizeof escaped, c == '"' || c == '\\' ? "\\%c" : "\\x%02x",
             static_cast<unsigned char>(c));
    out += escaped;
  }
  return out + (text.size() > 120 ? "…\"" : "\"");
}

std::string moire::nearestName(std::string_view name,
                               const std::vector<std::string_view> &candidates) {
  name = name.substr(0, 256); // the distance costs the product of the lengths
  unsigned best = static_cast<unsigned>(name.size()) / 3 + 1;
  std::string_view nearest;
  for (std::string_view candidate : candidates) {
    unsigned distance = llvm::StringRef(name).edit_distance(candidate, true, best);
    if (distance < best || (distance == best && nearest.empty() && distance < name.size())) {
      best = distance;
      nearest = candidate;
    }
  }
  return std::string(nearest);
}

std::string moire::hint(std::string_view name, const std::vector<std::string_view> &candidates) {
  std::string nearest = nearestName(name, candidates);
  return nearest.empty() ? "" : " (did you mean " + quote(nearest) + "?)";
}
