#include "codegen/artifact/Packing.h"

#include "codegen/artifact/Layout.h"
#include "codegen/artifact/Panels.h"
#include "frontends/weights/Dequantize.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace moire {

constexpr int64_t kUnitBytes = 2 << 20; // of packed panels that one worker makes at a time
constexpr int64_t kUnitsAhead = 2; // finished units that wait for the writer, beside one a worker

//===----------------------------------------------------------------------===//
// One panel

/// The row of a tensor that is row `packed` of it in the order of rotate-half RoPE.
static int64_t sourceRow(const RowSource &source, int64_t rows, int64_t packed) {
  if (!source.interleaved_heads)
    return packed;
  int64_t headRows = rows / source.interleaved_heads, half = headRows / 2;
  int64_t head = packed / headRows, inHead = packed % headRows;
  return head * headRows + 2 * (inHead % half) + inHead / half;
}

namespace {

/// Bytes of a tensor that have been read: what may leave memory again.
struct ReadRange {
  const uint8_t *begin, *end;
};

/// Packs panels of one weight, remembering what it read.
class PanelPacker {
public:
  explicit PanelPacker(const PackedWeight &weight) : weight(weight) {}

  /// Packs panel `index` of a slice.
  void pack(int64_t slice, int64_t index, uint8_t *panel);

  /// Takes the pages that were read out of our page tables. They stay in the page cache, but do
  /// not count as this process's memory, and the kernel may drop them for a model beyond RAM.
  void releaseSources();

private:
  void packVector(const std::vector<RowSource> &slice, uint8_t *panel);
  void takeNumbers(StorageType type, std::span<const uint8_t> from, int64_t panelRow);
  void noteRead(const uint8_t *begin, const uint8_t *end);

  const PackedWeight &weight;
  std::vector<ReadRange> read;
  std::vector<uint8_t> zeroRow;
  /// Bytes of tensors that no file holds: a row of the panel each, or a whole vector.
  std::array<std::vector<uint8_t>, kPanelRows> made;
  /// Of a format that is rounded to: the panel's numbers, [k][row].
  std::vector<float> numbers, row;
};

} // namespace

void PanelPacker::noteRead(const uint8_t *begin, const uint8_t *end) {
  // Rows of a tensor follow each other, so nearly always the last range grows.
  if (!read.empty() && begin <= read.back().end && end >= read.back().begin)
    read.back() = {std::min(begin, read.back().begin), std::max(end, read.back().end)};
  else
    read.push_back({begin, end});
}

void PanelPacker::releaseSources() {
  uintptr_t page = sysconf(_SC_PAGESIZE);
  for (ReadRange range : read) {
    uintptr_t begin = uintptr_t(range.begin) / page * page;
    madvise(reinterpret_cast<void *>(begin), uintptr_t(range.end) - begin, MADV_DONTNEED);
  }
  read.clear();
}

void PanelPacker::packVector(const std::vector<RowSource> &slice, uint8_t *panel) {
  float *out = reinterpret_cast<float *>(panel);
  std::vector<float> widened;
  for (const RowSource &source : slice) {
    const TensorEntry &tensor = *source.tensor;
    int64_t count = elementCount(tensor);
    widened.resize(count);
    widen(tensor.type, tensor.bytesAt(0, tensor.bytes, made[0]), count, widened.data());
    for (int64_t i = 0; i < count; ++i)
      out[i] = widened[sourceRow(source, count, i)];
    out += count;
  }
  std::memset(out, 0, panel + panelBytes(weight) - reinterpret_cast<uint8_t *>(out));
}

/// A row of the panel, as numbers.
void PanelPacker::takeNumbers(StorageType type, std::span<const uint8_t> from, int64_t panelRow) {
  row.resize(weight.k);
  if (storageTypeInfo(type).block_elements == 1)
    widen(type, from.data(), weight.k, row.data());
  else
    dequantize(type, from, row);
  for (int64_t i = 0; i < weight.k; ++i)
    numbers[i * kPanelRows + panelRow] = row[i];
}

void PanelPacker::pack(int64_t sliceIndex, int64_t index, uint8_t *panel) {
  if (!weight.computed.empty()) {
    int64_t bytes = weight.computed.size() * sizeof(float);
    std::memcpy(panel, weight.computed.data(), bytes);
    std::memset(panel + bytes, 0, panelBytes(weight) - bytes);
    return;
  }
  const std::vector<RowSource> &slice = weight.slices[sliceIndex];
  if (weight.format == PanelFormat::Vector)
    return packVector(slice, panel);

  // The panel's first row: of one source if panels alternate, else of the concatenation.
  auto source = slice.begin(), lastSource = slice.end();
  int64_t row = index * kPanelRows;
  if (weight.alternate_panels) {
    source += index % slice.size();
    lastSource = source + 1;
    row = index / slice.size() * kPanelRows;
  }

  bool isRounded = isOwnFormat(weight.format);
  if (isRounded)
    numbers.assign(weight.k * kPanelRows, 0);
  PanelRows rows;
  for (const uint8_t *&from : rows) {
    while (source != lastSource && row >= source->rows) {
      row -= source->rows;
      ++source;
    }
    if (source == lastSource) {
      zeroRow.resize(storedBytes(slice.front().tensor->type, weight.k));
      from = zeroRow.data();
      continue;
    }
    const TensorEntry &tensor = *source->tensor;
    int64_t rowBytes = storedBytes(tensor.type, weight.k);
    int64_t inTensor = source->first_row + sourceRow(*source, source->rows, row++);
    from = tensor.bytesAt(inTensor * rowBytes, rowBytes, made[&from - rows.data()]);
    if (tensor.file)
      noteRead(from, from + rowBytes);
    if (isRounded)
      takeNumbers(tensor.type, {from, size_t(rowBytes)}, &from - rows.data());
  }
  if (isRounded)
    packRounded(weight.format, weight.k, numbers.data(), panel);
  else
    packPanel(weight.format, slice.front().tensor->type, weight.k, rows, panel);
}

//===----------------------------------------------------------------------===//
// The stream: workers fill a ring of units, the calling thread writes them in order.

namespace {

/// Consecutive panels of one slice.
struct Unit {
  const PackedWeight *weight;
  int64_t slice, firstPanel, panels; // the panel's number in the slice

  int64_t bytes() const { return panels * panelBytes(*weight); }
  int64_t offset() const {
    return weight->offset + slice * weight->slice_bytes + firstPanel * panelBytes(*weight);
  }
};

/// A place of the ring: unit u lives in place u % size while it waits for the writer.
struct Place {
  std::vector<uint8_t> bytes;
  bool ready = false;
};

class UnitRing {
public:
  UnitRing(const std::vector<Unit> &units, size_t places) : units(units), places(places) {}

  /// Takes units and packs them until none is left or stop().
  void work();
  /// Waits for unit `index`, the one after the last that was released.
  std::span<const uint8_t> wait(size_t index);
  /// Gives the place of unit `index` back to the workers.
  void release(size_t index);
  void stop();

private:
  const std::vector<Unit> &units;
  std::vector<Place> places;
  std::mutex mutex;
  std::condition_variable changed;
  size_t next = 0;     // the first unit that no worker has taken
  size_t released = 0; // units that were written
  bool stopped = false;
};

} // namespace

static void packUnit(const Unit &unit, std::vector<uint8_t> &bytes) {
  bytes.resize(unit.bytes());
  PanelPacker packer(*unit.weight);
  int64_t stride = panelBytes(*unit.weight);
  for (int64_t i = 0; i < unit.panels; ++i)
    packer.pack(unit.slice, unit.firstPanel + i, bytes.data() + i * stride);
  packer.releaseSources();
}

void UnitRing::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(
        lock, [&] { return stopped || next == units.size() || next < released + places.size(); });
    if (stopped || next == units.size())
      return;
    size_t index = next++;
    lock.unlock();
    packUnit(units[index], places[index % places.size()].bytes);
    lock.lock();
    places[index % places.size()].ready = true;
    changed.notify_all();
  }
}

std::span<const uint8_t> UnitRing::wait(size_t index) {
  std::unique_lock lock(mutex);
  Place &place = places[index % places.size()];
  changed.wait(lock, [&] { return place.ready; });
  return place.bytes;
}

void UnitRing::release(size_t index) {
  std::unique_lock lock(mutex);
  places[index % places.size()].ready = false;
  released = index + 1;
  changed.notify_all();
}

void UnitRing::stop() {
  std::unique_lock lock(mutex);
  stopped = true;
  changed.notify_all();
}

static std::vector<Unit> cutIntoUnits(const std::vector<PackedWeight> &weights) {
  std::vector<Unit> units;
  for (const PackedWeight &weight : weights) {
    int64_t perSlice = panelsPerSlice(weight);
    int64_t perUnit = std::max<int64_t>(1, kUnitBytes / panelBytes(weight));
    for (int64_t slice = 0; slice < sliceCount(weight); ++slice)
      for (int64_t first = 0; first < perSlice; first += perUnit)
        units.push_back({&weight, slice, first, std::min(perUnit, perSlice - first)});
  }
  return units;
}

/// Tells the kernel that the sources are read from front to back: it then reads far ahead.
static void adviseSequential(const std::vector<PackedWeight> &weights) {
  std::set<const MappedFile *> files;
  for (const PackedWeight &weight : weights)
    for (const std::vector<RowSource> &slice : weight.slices)
      for (const RowSource &source : slice)
        if (source.tensor->file)
          files.insert(source.tensor->file.get());
  for (const MappedFile *file : files) {
    std::span<const uint8_t> bytes = file->bytes();
    madvise(const_cast<uint8_t *>(bytes.data()), bytes.size(), MADV_SEQUENTIAL);
  }
}

bool packWeights(const std::vector<PackedWeight> &weights, int threads,
                 const std::function<bool(std::span<const uint8_t>)> &write,
                 const std::function<void(uint64_t, uint64_t)> &progress, std::string &error) {
  int64_t end = 0;
  for (const PackedWeight &weight : weights)
    if (!checkWeight(weight, end, error))
      return false;
  adviseSequential(weights);

  std::vector<Unit> units = cutIntoUnits(weights);
  if (units.empty())
    return true;
  UnitRing ring(units, std::max(threads, 1) + kUnitsAhead);
  std::vector<std::thread> workers;
  for (int i = 0; i < std::max(threads, 1); ++i)
    workers.emplace_back([&ring] { ring.work(); });

  const std::vector<uint8_t> zeros(kPage);
  int64_t written = 0;
  bool good = true;
  for (size_t i = 0; i < units.size() && good; ++i) {
    int64_t gap = units[i].offset() - written;
    std::span<const uint8_t> bytes = ring.wait(i);
    good = (gap == 0 || write(std::span(zeros).first(gap))) && write(bytes);
    ring.release(i);
    written += gap + bytes.size();
    if (good && progress)
      progress(written, end);
  }
  good = good && (written == end || write(std::span(zeros).first(end - written)));
  ring.stop();
  for (std::thread &worker : workers)
    worker.join();
  if (!good)
    error = "the packed weights could not be written";
  return good;
}

} // namespace moire
