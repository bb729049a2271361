// Functions for programs that %run_oracle runs: `cat %s %prelude | %run_oracle`.

func.func private @printMemrefF32(tensor<*xf32>)

// Prints a matrix, all digits that matter of each element in six.
func.func private @print(%values: tensor<?x?xf32>) {
  %unranked = tensor.cast %values : tensor<?x?xf32> to tensor<*xf32>
  call @printMemrefF32(%unranked) : (tensor<*xf32>) -> ()
  return
}

// A rows x columns matrix of pseudo-random numbers in [-1, 1): a hash (the finaliser of MurmurHash3)
// of seed, row and column.
func.func private @random(%rows: index, %columns: index, %seed: i32) -> tensor<?x?xf32> {
  %empty = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %result = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%empty : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %row = linalg.index 0 : index
    %column = linalg.index 1 : index
    %i = arith.index_cast %row : index to i32
    %j = arith.index_cast %column : index to i32
    %s0 = func.call @hash(%seed, %i) : (i32, i32) -> i32
    %s1 = func.call @hash(%s0, %j) : (i32, i32) -> i32
    %c8 = arith.constant 8 : i32
    %bits = arith.shrsi %s1, %c8 : i32
    %number = arith.sitofp %bits : i32 to f32
    %scale = arith.constant 1.1920928955078125e-07 : f32
    %value = arith.mulf %number, %scale : f32
    linalg.yield %value : f32
  } -> tensor<?x?xf32>
  return %result : tensor<?x?xf32>
}

func.func private @hash(%state: i32, %value: i32) -> i32 {
  %golden = arith.constant 0x9e3779b9 : i32
  %f1 = arith.constant 0x85ebca6b : i32
  %f2 = arith.constant 0xc2b2ae35 : i32
  %c13 = arith.constant 13 : i32
  %c16 = arith.constant 16 : i32
  %v0 = arith.addi %value, %golden : i32
  %h0 = arith.xori %state, %v0 : i32
  %h1 = arith.shrui %h0, %c16 : i32
  %h2 = arith.xori %h0, %h1 : i32
  %h3 = arith.muli %h2, %f1 : i32
  %h4 = arith.shrui %h3, %c13 : i32
  %h5 = arith.xori %h3, %h4 : i32
  %h6 = arith.muli %h5, %f2 : i32
  %h7 = arith.shrui %h6, %c16 : i32
  %h8 = arith.xori %h6, %h7 : i32
  return %h8 : i32
}

// first, first + 1, ...: the positions of a prompt, or the slots with step = 0.
func.func private @count(%length: index, %first: i32, %step: i32) -> tensor<?xi32> {
  %empty = tensor.empty(%length) : tensor<?xi32>
  %result = linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%empty : tensor<?xi32>) {
  ^bb0(%out: i32):
    %index = linalg.index 0 : index
    %i = arith.index_cast %index : index to i32
    %offset = arith.muli %i, %step : i32
    %value = arith.addi %first, %offset : i32
    linalg.yield %value : i32
  } -> tensor<?xi32>
  return %result : tensor<?xi32>
}
