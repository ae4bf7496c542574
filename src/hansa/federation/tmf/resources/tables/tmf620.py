"""Attributes that TMF620 Product Catalog alone has (see engine.attributes)."""

TABLE = """
BundledProductOffering: id href lifecycleStatus name
  bundledProductOfferingOption:BundledProductOfferingOption
BundledProductOfferingOption: numberRelOfferDefault:whole numberRelOfferLowerLimit:whole
  numberRelOfferUpperLimit:whole
BundledProductOfferingPriceRelationship: id href name
BundledProductSpecification: id href lifecycleStatus name
Catalog: id href catalogType description lastUpdate:time lifecycleStatus name version
  category:CategoryRef* relatedParty:RelatedParty* validFor:TimePeriod
Category: id href description isRoot:flag lastUpdate:time lifecycleStatus name parentId version
  productOffering:ProductOfferingRef* subCategory:CategoryRef* validFor:TimePeriod
Duration: amount:whole units
ExportJob: id href completionDate:time contentType creationDate:time errorLog path query url
  status:JobStateType
ImportJob: id href completionDate:time contentType creationDate:time errorLog path url
  status:JobStateType
JobStateType = Not Started | Running | Succeeded | Failed
MarketSegmentRef: id! href name @referredType
POPAlteration: id href description name priceType! priority:whole recurringChargePeriod
  applicationDuration:Duration price:ProductPriceValue! unitOfMeasure:Quantity validFor:TimePeriod
PlaceRef: id! href name @referredType
PricingLogicAlgorithm: id href description name plaSpecId validFor:TimePeriod
ProductOffering: id href description isBundle:flag isSellable:flag lastUpdate:time lifecycleStatus
  name statusReason version agreement:AgreementRef* attachment:AttachmentRefOrValue*
  bundledProductOffering:BundledProductOffering* category:CategoryRef* channel:ChannelRef*
  marketSegment:MarketSegmentRef* place:PlaceRef*
  prodSpecCharValueUse:ProductSpecificationCharacteristicValueUse*
  productOfferingPrice:ProductOfferingPriceRefOrValue*
  productOfferingRelationship:ProductOfferingRelationship*
  productOfferingTerm:ProductOfferingTerm* productSpecification:ProductSpecificationRef
  resourceCandidate:ResourceCandidateRef serviceCandidate:ServiceCandidateRef
  serviceLevelAgreement:SLARef validFor:TimePeriod
ProductOfferingPrice: id href description isBundle:flag lastUpdate:time lifecycleStatus name
  percentage:number priceType recurringChargePeriodLength:whole recurringChargePeriodType version
  bundledPopRelationship:BundledProductOfferingPriceRelationship* constraint:ConstraintRef*
  place:PlaceRef* popRelationship:ProductOfferingPriceRelationship* price:Money
  pricingLogicAlgorithm:PricingLogicAlgorithm*
  prodSpecCharValueUse:ProductSpecificationCharacteristicValueUse*
  productOfferingTerm:ProductOfferingTerm* tax:TaxItem* unitOfMeasure:Quantity validFor:TimePeriod
ProductOfferingPriceRefOrValue: id href description lastUpdate:time lifecycleStatus name priceType
  recurringChargePeriod recurringChargePeriodLength:whole version constraint:ConstraintRef*
  price:ProductPriceValue priceAlteration:POPAlteration* unitOfMeasure:Quantity
  validFor:TimePeriod @referredType
ProductOfferingPriceRelationship: id href name relationshipType role @referredType
ProductOfferingRelationship: id href name relationshipType role validFor:TimePeriod @referredType
ProductOfferingTerm: description name duration:Duration validFor:TimePeriod
ProductPriceValue: percentage:number taxCategory taxRate:number dutyFreeAmount:Money
  taxIncludedAmount:Money
ProductSpecification: id href brand description isBundle:flag lastUpdate:time lifecycleStatus name
  productNumber version attachment:AttachmentRefOrValue*
  bundledProductSpecification:BundledProductSpecification*
  productSpecCharacteristic:ProductSpecificationCharacteristic*
  productSpecificationRelationship:ProductSpecificationRelationship* relatedParty:RelatedParty*
  resourceSpecification:ResourceSpecificationRef* serviceSpecification:ServiceSpecificationRef*
  targetProductSchema:TargetProductSchema validFor:TimePeriod
ProductSpecificationCharacteristic: id configurable:flag description extensible:flag isUnique:flag
  maxCardinality:whole minCardinality:whole name regex valueType
  productSpecCharRelationship:ProductSpecificationCharacteristicRelationship*
  productSpecCharacteristicValue:CharacteristicValueSpecification* validFor:TimePeriod
  @valueSchemaLocation
ProductSpecificationCharacteristicRelationship: id href charSpecSeq:whole name relationshipType
  validFor:TimePeriod
ProductSpecificationCharacteristicValueUse: id description maxCardinality:whole
  minCardinality:whole name valueType
  productSpecCharacteristicValue:CharacteristicValueSpecification*
  productSpecification:ProductSpecificationRef validFor:TimePeriod
ProductSpecificationRelationship: id href name relationshipType validFor:TimePeriod @referredType
RelatedParty: id! href name role @referredType!
ResourceCandidateRef: id! href name version @referredType
ResourceSpecificationRef: id! href name version @referredType
SLARef: id! href name @referredType
ServiceCandidateRef: id! href name version @referredType
"""
