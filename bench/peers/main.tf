terraform {
  required_providers {
    kubernetes = { source = "hashicorp/kubernetes" }
  }
}

provider "kubernetes" {
  config_context = "lab"
}

locals {
  objects = { for file in fileset("../objects", "*.yaml") : file => yamldecode(file("../objects/${file}")) }
}

resource "kubernetes_manifest" "namespace" {
  for_each = { for file, object in local.objects : file => object if object.kind == "Namespace" }
  manifest = each.value
}

resource "kubernetes_manifest" "object" {
  for_each   = { for file, object in local.objects : file => object if !contains(["Namespace", "Deployment"], object.kind) }
  manifest   = each.value
  depends_on = [kubernetes_manifest.namespace]

  dynamic "wait" {
    for_each = each.value.kind == "Gateway" ? [true] : []
    content {
      condition {
        type   = "Programmed"
        status = "True"
      }
    }
  }
}

# After what its pods need: ten that wait for pods without a ServiceAccount would keep it from being made.
resource "kubernetes_manifest" "deployment" {
  for_each   = { for file, object in local.objects : file => object if object.kind == "Deployment" }
  manifest   = each.value
  depends_on = [kubernetes_manifest.object]

  wait {
    rollout = true
  }
}
