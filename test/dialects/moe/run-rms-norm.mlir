// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  // mean([3 4]^2) + 12.5 = 25 and mean([0 0]^2) + 12.5 = 12.5.
  %x = arith.constant dense<[[3.0, 4.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %gain = arith.constant dense<[1.0, 10.0]> : tensor<2xf32>
  %h = moe.rms_norm %x, %gain eps 12.5 : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}0.6, 8],
  // CHECK-NEXT: [0, 0]]
  %h0 = tensor.cast %h : tensor<2x2xf32> to tensor<?x?xf32>
  call @print(%h0) : (tensor<?x?xf32>) -> ()

  // A gain of half a row: each half is normed by itself.
  // mean([3 4]^2) + 12.5 = 25 and mean([5 5]^2) + 12.5 = 37.5.
  %halves = arith.constant dense<[[3.0, 4.0, 5.0, 5.0], [0.0, 0.0, 3.0, -4.0]]> : tensor<2x4xf32>
  %dynamic = tensor.cast %halves : tensor<2x4xf32> to tensor<?x4xf32>
  %g = moe.rms_norm %dynamic, %gain eps 12.5
    : tensor<?x4xf32>, tensor<2xf32> -> tensor<?x4xf32>
  // CHECK: sizes = [2, 4]
  // CHECK-NEXT: {{\[\[}}0.6, 8, 0.816497, 8.16497],
  // CHECK-NEXT: [0, 0, 0.6, -8]]
  %g0 = tensor.cast %g : tensor<?x4xf32> to tensor<?x?xf32>
  call @print(%g0) : (tensor<?x?xf32>) -> ()

  // An encoded result is the norm and then the rounding of moe.quantize_rows: the difference is 0,
  // while that to the norm alone is not.
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %seed = arith.constant 7 : i32
  %r = call @random(%c3, %c32, %seed) : (index, index, i32) -> tensor<?x?xf32>
  %y = tensor.cast %r : tensor<?x?xf32> to tensor<3x32xf32>
  %ones = arith.constant dense<1.0> : tensor<32xf32>
  %norm = moe.rms_norm %y, %ones eps 1.0e-5 : tensor<3x32xf32>, tensor<32xf32> -> tensor<3x32xf32>
  %two = moe.quantize_rows %norm : tensor<3x32xf32> -> tensor<3x32xf32, #moe.block<int8>>
  %one = moe.rms_norm %y, %ones eps 1.0e-5
    : tensor<3x32xf32>, tensor<32xf32> -> tensor<3x32xf32, #moe.block<int8>>
  %plain_two = tensor.cast %two : tensor<3x32xf32, #moe.block<int8>> to tensor<3x32xf32>
  %plain_one = tensor.cast %one : tensor<3x32xf32, #moe.block<int8>> to tensor<3x32xf32>
  // CHECK: sizes = [1, 1]
  // CHECK-NEXT: {{\[\[}}0]]
  %same = call @largest_difference(%plain_one, %plain_two)
    : (tensor<3x32xf32>, tensor<3x32xf32>) -> tensor<?x?xf32>
  call @print(%same) : (tensor<?x?xf32>) -> ()
  // CHECK: sizes = [1, 1]
  // CHECK-NEXT: {{\[\[}}0.00{{[1-9].*}}]]
  %rounding = call @largest_difference(%plain_one, %norm)
    : (tensor<3x32xf32>, tensor<3x32xf32>) -> tensor<?x?xf32>
  call @print(%rounding) : (tensor<?x?xf32>) -> ()
  return
}

func.func private @largest_difference(%x: tensor<3x32xf32>, %y: tensor<3x32xf32>)
    -> tensor<?x?xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x1xf32>
  %largest = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
                       affine_map<(i, j) -> (0, 0)>],
      iterator_types = ["reduction", "reduction"]}
      ins(%x, %y : tensor<3x32xf32>, tensor<3x32xf32>) outs(%zero : tensor<1x1xf32>) {
  ^bb0(%a: f32, %b: f32, %sofar: f32):
    %difference = arith.subf %a, %b : f32
    %magnitude = math.absf %difference : f32
    %next = arith.maximumf %sofar, %magnitude : f32
    linalg.yield %next : f32
  } -> tensor<1x1xf32>
  %result = tensor.cast %largest : tensor<1x1xf32> to tensor<?x?xf32>
  return %result : tensor<?x?xf32>
}
