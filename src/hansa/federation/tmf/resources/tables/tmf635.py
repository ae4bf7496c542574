"""Attributes that TMF635 Usage alone has (see engine.attributes)."""

TABLE = """
AssociationSpecificationRef: id! href name @referredType
CharacteristicSpecification: id configurable:flag description extensible:flag isUnique:flag
  maxCardinality:whole minCardinality:whole name regex valueType
  charSpecRelationship:CharacteristicSpecificationRelationship*
  characteristicValueSpecification:CharacteristicValueSpecification* validFor:TimePeriod
  @valueSchemaLocation
CharacteristicSpecificationRelationship: id href characteristicSpecificationId name
  parentSpecificationHref parentSpecificationId relationshipType validFor:TimePeriod
EntitySpecificationRelationship: id href name relationshipType! role
  associationSpec:AssociationSpecificationRef validFor:TimePeriod @referredType
RatedProductUsage: isBilled:flag isTaxExempt:flag offerTariffType ratingAmountType ratingDate:time
  taxRate:number usageRatingTag bucketValueConvertedInAmount:Money productRef:ProductRef
  taxExcludedRatingAmount:Money taxIncludedRatingAmount:Money
RelatedParty: id! href name role @referredType!
TargetEntitySchema: @schemaLocation! @type!
Usage: id href description usageDate:time usageType ratedProductUsage:RatedProductUsage*
  relatedParty:RelatedParty* status:UsageStatusType usageCharacteristic:UsageCharacteristic*
  usageSpecification:UsageSpecificationRef
UsageCharacteristic: id name! valueType characteristicRelationship:CharacteristicRelationship*
  value:any!
UsageSpecification: id href description isBundle:flag lastUpdate:time lifecycleStatus name version
  attachment:AttachmentRefOrValue* constraint:ConstraintRef*
  entitySpecRelationship:EntitySpecificationRelationship* relatedParty:RelatedParty*
  specCharacteristic:CharacteristicSpecification* targetEntitySchema:TargetEntitySchema
  validFor:TimePeriod
UsageSpecificationRef: id! href name @referredType
UsageStatusType = received | rejected | recycled | guided | rated | rerated | billed
"""
