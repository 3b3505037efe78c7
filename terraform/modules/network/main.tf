# A VPC for generators: nothing comes in, everything they need goes out. Public subnets cost nothing while no task runs;
# private ones need a NAT gateway, which is paid by the hour.

# Not Local Zones and Wavelength Zones, which an account may have opted in to: Fargate runs in neither. Nor zones of a
# region with Fargate that have none themselves.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html
data "aws_availability_zones" "fargate" {
  region           = var.region
  state            = "available"
  exclude_zone_ids = ["usw1-az2", "apne1-az3", "cnn1-az3"]

  filter {
    name   = "zone-type"
    values = ["availability-zone"]
  }
}

locals {
  offered  = zipmap(data.aws_availability_zones.fargate.zone_ids, data.aws_availability_zones.fargate.names)
  in_order = slice(sort(values(local.offered)), 0, min(var.zones, length(local.offered)))
  zones    = length(var.zone_ids) == 0 ? local.in_order : [for id in var.zone_ids : local.offered[id] if contains(keys(local.offered), id)]
  private  = var.private
  # Quarters two to four are the zones' subnets for tasks, three /22 of a /20. The first one has the small public subnets
  # of the NAT gateways.
  task_cidrs    = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 2, index + 1) }
  nat_cidrs     = { for index, zone in local.zones : zone => cidrsubnet(var.cidr, 4, index) }
  public_cidrs  = local.private ? local.nat_cidrs : local.task_cidrs
  private_cidrs = { for zone, cidr in local.task_cidrs : zone => cidr if local.private }
  nat_zones     = !local.private ? [] : var.nat == "per-zone" ? local.zones : slice(local.zones, 0, 1)
}

resource "aws_vpc" "this" {
  region               = var.region
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = length(setsubtract(var.zone_ids, keys(local.offered))) == 0
      error_message = "zone_ids has ${join(", ", setsubtract(var.zone_ids, keys(local.offered)))}: in ${var.region} Fargate runs in ${join(", ", keys(local.offered))}."
    }

    precondition {
      condition     = length(var.zone_ids) > 0 || length(local.offered) >= var.zones
      error_message = "zones is ${var.zones}: in ${var.region} this account has ${length(local.offered)} with Fargate (${join(", ", keys(local.offered))}); take that many at most."
    }
  }
}

# The group that every VPC comes with would let its members reach each other: without rules it lets nobody do anything.
resource "aws_default_security_group" "this" {
  region = var.region
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-closed" })
}

resource "aws_internet_gateway" "this" {
  region = var.region
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  for_each = local.public_cidrs

  region            = var.region
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "${var.name}-public-${each.key}" })
}

resource "aws_route_table" "public" {
  region = var.region
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "internet" {
  region                 = var.region
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  region         = var.region
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

resource "aws_subnet" "private" {
  for_each = local.private_cidrs

  region            = var.region
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  region = var.region
  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  region        = var.region
  subnet_id     = aws_subnet.public[each.key].id
  allocation_id = aws_eip.nat[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "private" {
  for_each = local.private_cidrs

  region = var.region
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route" "nat" {
  for_each = local.private_cidrs

  region                 = var.region
  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat == "per-zone" ? each.key : local.zones[0]].id
}

resource "aws_route_table_association" "private" {
  for_each = local.private_cidrs

  region         = var.region
  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# Gateway endpoints are free, and keep shards off the NAT gateway. They serve the bucket of the same region only.
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  region            = var.region
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([aws_route_table.public.id], [for zone in keys(local.private_cidrs) : aws_route_table.private[zone].id])
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

# One group a project, so that a target can admit the generators of one project and no others.
resource "aws_security_group" "project" {
  for_each = setunion(["default"], var.projects)

  region                 = var.region
  name                   = "${var.name}-${each.key}"
  description            = "Floodgate generators of ${each.key}: outgoing traffic only"
  vpc_id                 = aws_vpc.this.id
  revoke_rules_on_delete = true
  tags                   = merge(var.tags, { Name = "${var.name}-${each.key}", Project = each.key })
}

resource "aws_vpc_security_group_egress_rule" "project" {
  for_each = { for pair in setproduct(setunion(["default"], var.projects), var.egress_cidrs) : "${pair[0]} ${pair[1]}" => pair }

  region            = var.region
  security_group_id = aws_security_group.project[each.value[0]].id
  description       = "To targets, S3 and ECR"
  ip_protocol       = "-1"
  cidr_ipv4         = each.value[1]
  tags              = var.tags
}
